// A page of a PDF that is a picture -> its words and where they stand, by OCR (ocr.ts). The page is drawn as it is seen, so that pictures
// in any number and letters that are only outlines are read alike. One page is held at a time, and a blank one costs no OCR.
import { OPS, type PDFPageProxy } from "pdfjs-dist/legacy/build/pdf.mjs";
import { FileProblem, type Reading } from "../pages.js";
import { strings } from "../strings.js";
import type { PlacedWords } from "./image-picture.js";
import type { PictureFile } from "./ocr.js";
import { drawPage, toFile } from "./pdf-picture.js";

/** Small print is then 20 pixels high, which OCR wants. A PDF counts 72 points to the inch. */
const DOTS_PER_INCH = 216;
/** Less text than this, in letters and digits, is what a page's number or a scanner's mark leave beside a picture. */
const FEW_LETTERS = 40;
/** The copy that is looked at to find out whether there is anything. */
const GLANCE_PIXELS = 160_000;
/** Of 255: paper is not quite even. */
const EVEN = 12;

const PICTURES = new Set<number>([
  OPS.paintImageXObject, OPS.paintImageXObjectRepeat, OPS.paintInlineImageXObject, OPS.paintInlineImageXObjectGroup,
  OPS.paintImageMaskXObject, OPS.paintImageMaskXObjectGroup, OPS.paintImageMaskXObjectRepeat,
]);

export interface Scan extends PlacedWords {
  text: string;
}

const letters = (text: string): number => text.match(/[\p{L}\p{N}]/gu)?.length ?? 0;

/** Whether a page with this text of its own may have more on it that only OCR can read. */
async function mayBeScan(page: PDFPageProxy, text: string): Promise<boolean> {
  const count = letters(text);
  if (count === 0 || count >= FEW_LETTERS) return count === 0;
  return (await page.getOperatorList()).fnArray.some((operation) => PICTURES.has(operation));
}

function isBlank(canvas: HTMLCanvasElement): boolean {
  const scale = Math.min(1, Math.sqrt(GLANCE_PIXELS / (canvas.width * canvas.height)));
  const small = new OffscreenCanvas(Math.max(1, Math.round(canvas.width * scale)), Math.max(1, Math.round(canvas.height * scale)));
  const context = small.getContext("2d", { willReadFrequently: true });
  if (!context) return false;
  // Thin lines turn grey, and do not get lost.
  context.imageSmoothingQuality = "medium";
  context.drawImage(canvas, 0, 0, small.width, small.height);
  const { data } = context.getImageData(0, 0, small.width, small.height);
  let [darkest, lightest] = [255, 0];
  for (let place = 0; place < data.length; place += 4) {
    const light = ((data[place] ?? 0) + (data[place + 1] ?? 0) + (data[place + 2] ?? 0)) / 3;
    darkest = Math.min(darkest, light);
    lightest = Math.max(lightest, light);
  }
  return lightest - darkest < EVEN;
}

/** The page as a file of pixels; none where there is nothing on it. */
async function picture(page: PDFPageProxy): Promise<PictureFile | undefined> {
  const canvas = await drawPage(page, DOTS_PER_INCH / 72);
  try {
    if (isBlank(canvas)) return undefined;
    const { width, height } = canvas;
    return { file: await toFile(canvas, "image/png"), width, height };
  } finally {
    canvas.width = 0;
  }
}

/** Loaded with the first page that needs it. */
const startOcr = (): Promise<typeof import("./ocr.js")> => import("./ocr.js").catch(() => { throw new FileProblem(strings.ocrFailed); });

/**
 * What OCR reads on a page, where that is more than its own text: else undefined. Rejects with FileProblem where no page can be read
 * so, or with the reason of the signal.
 */
export async function readScan(page: PDFPageProxy, own: string, reading: Reading): Promise<Scan | undefined> {
  if (!await mayBeScan(page, own)) return undefined;
  // A page that cannot be drawn is one without words; the next one may be sound.
  const drawn = await picture(page).catch(() => undefined);
  reading.signal.throwIfAborted();
  if (!drawn) return undefined;
  const { recognise } = await startOcr();
  const { text, words } = await recognise(drawn, reading);
  // What it has itself is better than the same guessed.
  return letters(text) > 2 * letters(own) ? { text, words, width: drawn.width, height: drawn.height } : undefined;
}
