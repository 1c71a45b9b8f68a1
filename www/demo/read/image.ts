// A picture -> one page with the text that is read from it (ocr.ts). Its size is read from its first bytes, so that a small file that
// would unfold to gigabytes is refused before the browser decodes it.
import { FileProblem, type Picture, type Reading, type Source } from "../pages.js";
import { strings } from "../strings.js";
import { covered } from "./lines.js";
import { recognise } from "./ocr.js";
import { imageSize } from "./image-size.js";

const MOST_PIXELS = 50e6;
/** More does not help to read, it only takes longer. */
const READ_PIXELS = 6e6;

async function drawn(bitmap: ImageBitmap, scale: number): Promise<Blob> {
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale)));
  const context = canvas.getContext("2d");
  if (!context) throw new FileProblem(strings.fileUnreadable);
  // Text on a transparent ground is meant to stand on paper.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/png" });
}

/** Rejects with FileProblem, or with the reason of the signal. */
export async function imageSource(file: File, reading: Reading): Promise<Source> {
  const size = imageSize(new DataView(await file.slice(0, 1 << 18).arrayBuffer()));
  if (!size) throw new FileProblem(strings.fileBrokenImage);
  if (size.width * size.height > MOST_PIXELS) throw new FileProblem(strings.fileManyPixels(size.width, size.height, MOST_PIXELS));
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new FileProblem(strings.fileBrokenImage);
  }
  const { width, height } = bitmap;
  const scale = Math.min(1, Math.sqrt(READ_PIXELS / (width * height)));
  const small = await drawn(bitmap, scale);
  bitmap.close();
  reading.signal.throwIfAborted();
  const { text, words } = await recognise(small, reading);
  if (!/[\p{L}\p{N}]/u.test(text)) throw new FileProblem(strings.fileNoWords);
  const [across, down] = [width * scale, height * scale];
  const picture: Picture = {
    ratio: height / width,
    draw: async (wanted) => {
      const decoded = await createImageBitmap(small);
      const blob = await drawn(decoded, Math.min(1, wanted / decoded.width));
      decoded.close();
      return blob;
    },
    boxes: (span) => Promise.resolve(words.flatMap(({ left, top, right, bottom, ...own }) => (covered(own, span)
      ? [{ x: left / across, y: top / down, width: (right - left) / across, height: (bottom - top) / down }]
      : []))),
  };
  return { name: file.name, kind: "image", pages: [{ file: file.name, label: strings.picture, text, picture }] };
}
