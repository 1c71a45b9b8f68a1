// Text of a picture by tesseract.js, English: a file that is a picture (image.ts), or the picture of a scanned page (scan.ts). Its worker,
// its WASM and its data lie in the demo's own folder, and are fetched when the first picture comes. One worker is kept for a while, because
// the next picture often follows.
import { createWorker, OEM, PSM, type Worker as Tesseract } from "tesseract.js";
import { FileProblem, type Reading } from "../pages.js";
import { strings } from "../strings.js";
import type { Word } from "./image-picture.js";

const IDLE_MS = 30_000;
const beside = (path: string): string => new URL(`./ocr/${path}`, import.meta.url).href;

let kept: Promise<Tesseract> | undefined;
let idle: ReturnType<typeof setTimeout> | undefined;
let report: (message: { status: string; progress: number }) => void = () => undefined;

async function start(): Promise<Tesseract> {
  const worker = await createWorker("eng", OEM.LSTM_ONLY, {
    workerPath: beside("worker.min.js"), corePath: beside("tesseract-core-simd-lstm.js"), langPath: beside("data"),
    // The worker must be a file of this page: its address is what the others are found by. The service worker keeps the data.
    workerBlobURL: false, cacheMethod: "none", logger: (message) => report(message), errorHandler: () => undefined,
  });
  // By itself it takes a picture for one block of text, and reads across columns. What it thinks of a picture it tells the console.
  await worker.setParameters({ tessedit_pageseg_mode: PSM.AUTO, debug_file: "/dev/null" });
  return worker;
}

function forget(): void {
  clearTimeout(idle);
  const worker = kept;
  kept = undefined;
  void worker?.then((running) => running.terminate()).catch(() => undefined);
}

export interface PictureFile {
  file: Blob;
  /** Pixels. */
  width: number;
  height: number;
}

/** Rejects with FileProblem, or with the reason of the signal. */
export async function recognise(picture: PictureFile, { signal, onProgress }: Reading): Promise<{ text: string; words: Word[] }> {
  clearTimeout(idle);
  report = ({ status, progress }) => {
    if (status === "recognizing text") onProgress(strings.recognising, progress);
    else onProgress(strings.ocrStarting);
  };
  onProgress(strings.ocrStarting);
  let stop = (): void => undefined;
  const stopped = new Promise<never>((_resolve, reject) => { stop = () => reject(signal.reason); });
  signal.addEventListener("abort", stop);
  try {
    kept ??= start();
    const worker = await Promise.race([kept, stopped]);
    // Columns are found on a page that is straight.
    const { data } = await Promise.race([worker.recognize(picture.file, { rotateAuto: true }, { text: false, blocks: true }), stopped]);
    idle = setTimeout(forget, IDLE_MS);
    const { text, words } = joined(data.blocks ?? []);
    return { text, words: turnedBack(words, picture, data.rotateRadians ?? 0) };
  } catch (error) {
    // Whatever it was doing, it is not to be trusted with the next picture.
    forget();
    if (signal.aborted) throw error;
    throw new FileProblem(strings.ocrFailed);
  } finally {
    // One signal goes with all pages of a file.
    signal.removeEventListener("abort", stop);
  }
}

/** Places on the picture as it is, of words that were found when it had been turned around its middle, clockwise. */
function turnedBack(words: Word[], { width, height }: PictureFile, angle: number): Word[] {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return angle === 0 ? words : words.map((word) => {
    const [x, y] = [(word.left + word.right - width) / 2, (word.top + word.bottom - height) / 2];
    const [right, down] = [x * cos + y * sin - x, y * cos - x * sin - y];
    return { ...word, left: word.left + right, right: word.right + right, top: word.top + down, bottom: word.bottom + down };
  });
}

interface Block {
  paragraphs: { lines: { words: { text: string; bbox: { x0: number; y0: number; x1: number; y1: number } }[] }[] }[];
}

function joined(blocks: readonly Block[]): { text: string; words: Word[] } {
  let text = "";
  const words: Word[] = [];
  for (const { lines } of blocks.flatMap(({ paragraphs }) => paragraphs)) {
    let gap = text === "" ? "" : "\n\n";
    for (const { text: word, bbox } of lines.flatMap((line) => line.words)) {
      text += gap;
      words.push({ start: text.length, end: text.length + word.length, left: bbox.x0, top: bbox.y0, right: bbox.x1, bottom: bbox.y1 });
      text += word;
      gap = " ";
    }
  }
  return { text, words };
}
