// Pages with known text as pictures, as a scanner or a telephone would give them: fonts that the lock files pin, noise from a seed.

const INCH = { width: 8.27, height: 11.69, margin: 0.9 };
const POINTS = 72;
/** Of a page's height, the rest stays white: what takes time is text. */
const FILLED = 0.5;
const FONTS = {
  sans: "/demo/pdfjs/standard_fonts/LiberationSans-Regular.ttf",
  serif: "/npm/@fontsource/eb-garamond/files/eb-garamond-latin-400-normal.woff2",
  typewriter: "/npm/@fontsource/courier-prime/files/courier-prime-latin-400-normal.woff2",
};

/** `size` in points, `skew` in degrees, `noise` and `shade` in shades of 255, `blur` in pixels. */
export const PICTURES = [
  { name: "sans 11 pt, 200 dpi", font: "sans", size: 11, dpi: 200 },
  { name: "serif 11 pt, 200 dpi", font: "serif", size: 11, dpi: 200 },
  { name: "typewriter 10 pt, 200 dpi, noise", font: "typewriter", size: 10, dpi: 200, noise: 30 },
  { name: "sans 8 pt, 150 dpi", font: "sans", size: 8, dpi: 150 },
  { name: "sans 9 pt, 200 dpi, two columns", font: "sans", size: 9, dpi: 200, columns: 2 },
  { name: "serif 11 pt, 200 dpi, 2\u00b0 askew, noise", font: "serif", size: 11, dpi: 200, skew: 2, noise: 20 },
  { name: "sans 11 pt, 130 dpi, blurred, pale, in shade", font: "sans", size: 11, dpi: 130, ink: "#555", paper: "#dcd8cc", blur: 0.9, shade: 60, noise: 10, skew: -1 },
];

/** The same numbers of 0..1 for the same seed: mulberry32. */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

function spoil(context, { noise = 0, shade = 0 }, seed) {
  const { width, height } = context.canvas;
  const image = context.getImageData(0, 0, width, height);
  const next = random(seed);
  for (let place = 0; place < image.data.length; place += 4) {
    const [x, y] = [(place / 4) % width, Math.floor(place / 4 / width)];
    const change = (next() + next() + next() - 1.5) * noise - shade * (x / width) * (y / height);
    for (let channel = 0; channel < 3; channel += 1) image.data[place + channel] += change;
  }
  context.putImageData(image, 0, 0);
}

/** Words of the paragraphs set into the columns until they are full. Returns what was set. */
function set(context, paragraphs, { left, top, width, height, columns, gap, leading }) {
  const wide = (width - gap * (columns - 1)) / columns;
  const lines = [];
  let [column, y] = [0, top];
  for (const paragraph of paragraphs) {
    const rows = [];
    for (const word of paragraph.split(/\s+/)) {
      const longer = rows.length > 0 ? `${rows.at(-1)} ${word}` : word;
      if (rows.length > 0 && context.measureText(longer).width <= wide) rows[rows.length - 1] = longer;
      else rows.push(word);
    }
    for (const row of rows) {
      if (y + leading > top + height) [column, y] = [column + 1, top];
      if (column === columns) return lines.join(" ");
      context.fillText(row, left + column * (wide + gap), y + leading * 0.75);
      lines.push(row);
      y += leading;
    }
    y += leading / 2;
  }
  return lines.join(" ");
}

/** { file, text, pixels }: a JPEG and what is on it. */
export async function draw(picture, paragraphs, seed) {
  const { font, size, dpi, columns = 1, skew = 0, ink = "#111", paper = "#fff", blur = 0 } = picture;
  const face = await new FontFace(`bench-${font}`, `url(${FONTS[font]})`).load();
  document.fonts.add(face);
  const [width, height, margin] = [INCH.width, INCH.height, INCH.margin].map((inches) => Math.round(inches * dpi));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = paper;
  context.fillRect(0, 0, width, height);
  context.fillStyle = ink;
  context.filter = blur > 0 ? `blur(${blur}px)` : "none";
  context.font = `${(size * dpi) / POINTS}px bench-${font}`;
  context.translate(width / 2, height / 2);
  context.rotate((skew * Math.PI) / 180);
  context.translate(-width / 2, -height / 2);
  const text = set(context, paragraphs, {
    left: margin, top: margin, width: width - 2 * margin, height: (height - 2 * margin) * FILLED, columns, gap: margin / 3, leading: ((size * dpi) / POINTS) * 1.35,
  });
  spoil(context, picture, seed);
  return { file: await canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 }), text, pixels: width * height };
}
