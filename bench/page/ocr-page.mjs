// The page of the OCR benchmark: draws the pictures, opens the readers as the demo does or would, and times one picture at a time.
// ocr.mjs decides what runs when. Times are from the file of a picture to its text.
import Tesseract from "/demo-npm/tesseract.js/dist/tesseract.esm.min.js";
import { draw, PICTURES } from "./ocr-pictures.mjs";

const { createWorker, OEM, PSM } = Tesseract;

/** As www/demo/read/ocr.ts has it. */
async function openTesseract({ layout }) {
  const worker = await createWorker("eng", OEM.LSTM_ONLY, {
    workerPath: "/demo/ocr/worker.min.js", corePath: "/demo/ocr/tesseract-core-simd-lstm.js", langPath: "/demo/ocr/data", workerBlobURL: false, cacheMethod: "none",
  });
  await worker.setParameters({ tessedit_pageseg_mode: layout ? PSM.AUTO : PSM.SINGLE_BLOCK });
  return async (file) => {
    const { data } = await worker.recognize(file, layout ? { rotateAuto: true } : {}, { text: false, blocks: true });
    return data.blocks.flatMap(({ paragraphs }) => paragraphs).flatMap(({ lines }) => lines).flatMap(({ words }) => words).map(({ text }) => text).join(" ");
  };
}

async function openPpOcr(options) {
  const worker = new Worker("/bench/ppocr.worker.mjs", { type: "module" });
  const ask = (kind, value) => new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.error === undefined ? resolve(data.value) : reject(new Error(data.error)));
    worker.onerror = (event) => reject(new Error(event.message || "the worker could not be started"));
    worker.postMessage({ kind, value });
  });
  await ask("open", options);
  return (file) => ask("run", file);
}

const pictures = [];
const readers = new Map();

globalThis.bench = {
  /** Draws them all, and takes the sample's picture as it is. `texts` are paragraphs for each. Returns what they are and their text. */
  async draw(texts, sample) {
    for (const [place, picture] of PICTURES.entries()) pictures.push({ name: picture.name, ...await draw(picture, texts[place % texts.length], place + 1) });
    const file = await (await fetch(sample.url)).blob();
    const { width, height } = await createImageBitmap(file);
    pictures.push({ name: sample.name, file, text: sample.text, pixels: width * height });
    return pictures.map(({ name, text, pixels, file: { size } }) => ({ name, text, pixels, bytes: size }));
  },

  /** Milliseconds until it can read. */
  async open(name, { engine, ...options }) {
    const begun = performance.now();
    readers.set(name, engine === "tesseract" ? await openTesseract(options) : await openPpOcr(options));
    return performance.now() - begun;
  },

  async read(name, place) {
    const begun = performance.now();
    const text = await readers.get(name)(pictures[place].file);
    return { ms: performance.now() - begun, text };
  },

  /** A picture as a data URL, to be looked at. */
  show: (place) => new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(pictures[place].file);
  }),
};
document.title = "ready";
