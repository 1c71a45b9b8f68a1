// Width and height of a PNG, JPEG, GIF, BMP or WebP picture from its first bytes, without decoding it.

export interface Size {
  width: number;
  height: number;
}

const PNG = 0x89504e47;
const RIFF = 0x52494646;
const WEBP = 0x57454250;

function jpegSize(view: DataView): Size | undefined {
  let place = 2;
  while (place + 9 < view.byteLength) {
    if (view.getUint8(place) !== 0xff) return undefined;
    const marker = view.getUint8(place + 1);
    // Start of frame, of any kind of coding; C4, C8 and CC are tables.
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return { height: view.getUint16(place + 5), width: view.getUint16(place + 7) };
    }
    // Filling bytes, and markers that stand alone.
    if (marker === 0xff) place += 1;
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) place += 2;
    else place += 2 + view.getUint16(place + 2);
  }
  return undefined;
}

function webpSize(view: DataView): Size | undefined {
  switch (String.fromCharCode(view.getUint8(12), view.getUint8(13), view.getUint8(14), view.getUint8(15))) {
    case "VP8 ": return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
    case "VP8L": {
      const bits = view.getUint32(21, true);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case "VP8X": return {
      width: (view.getUint32(24, true) & 0xffffff) + 1, height: (view.getUint16(27, true) | (view.getUint8(29) << 16)) + 1,
    };
    default: return undefined;
  }
}

/** Undefined where the bytes are none of these, or are cut off before they say it. */
export function imageSize(view: DataView): Size | undefined {
  if (view.byteLength < 30) return undefined;
  if (view.getUint32(0) === PNG) return { width: view.getUint32(16), height: view.getUint32(20) };
  if (view.getUint16(0) === 0xffd8) return jpegSize(view);
  if (view.getUint32(0) === RIFF && view.getUint32(8) === WEBP) return webpSize(view);
  // "GIF8" and "BM".
  if (view.getUint32(0) === 0x47494638) return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  if (view.getUint16(0) === 0x424d) return { width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)) };
  return undefined;
}
