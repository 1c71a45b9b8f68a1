// PDF -> the text of each page, through pdf.js in its own worker; how its pages look is drawn later, by pdf-picture.ts.
// No fonts of the file reach the browser, and no scripts of it run.
import { getDocument, GlobalWorkerOptions, type PDFDocumentLoadingTask } from "pdfjs-dist/legacy/build/pdf.mjs";
import { FileProblem, type Page, type Reading, type Source } from "../pages.js";
import { strings } from "../strings.js";
import { joinLines, type Piece } from "./lines.js";
import { PdfPictures } from "./pdf-picture.js";

const beside = (path: string): string => new URL(`./pdfjs/${path}`, import.meta.url).href;
GlobalWorkerOptions.workerSrc = beside("pdf.worker.js");

/** Pictures inside a PDF that claim more pixels are left out when its pages are drawn. */
const MOST_IMAGE_PIXELS = 50e6;

/** Opens a PDF. The caller destroys the task. */
export function openPdf(data: ArrayBuffer): PDFDocumentLoadingTask {
  return getDocument({
    data, disableFontFace: true, useSystemFonts: false, enableXfa: false, stopAtErrors: false, verbosity: 0, isEvalSupported: false, maxImageSize: MOST_IMAGE_PIXELS,
    cMapUrl: beside("cmaps/"), cMapPacked: true, standardFontDataUrl: beside("standard_fonts/"), wasmUrl: beside("wasm/"),
  });
}

export const isPiece = <T extends object>(item: T): item is T & Piece => "str" in item;

interface Read {
  text: string;
  ratio: number;
}

/** Text and shape of every page; the text is empty where a page has none. */
async function readPages(data: ArrayBuffer, { signal, onProgress }: Reading): Promise<Read[]> {
  const task = openPdf(data);
  const stop = (): void => void task.destroy();
  signal.addEventListener("abort", stop);
  try {
    const pdf = await task.promise;
    const pages: Read[] = [];
    for (let number = 1; number <= pdf.numPages; number += 1) {
      signal.throwIfAborted();
      const page = await pdf.getPage(number);
      const { items } = await page.getTextContent();
      const { width, height } = page.getViewport({ scale: 1 });
      pages.push({ text: joinLines(items.filter(isPiece)).text, ratio: height / width });
      page.cleanup();
      onProgress(strings.readingPage(number, pdf.numPages), number / pdf.numPages);
    }
    return pages;
  } catch (error) {
    signal.throwIfAborted();
    throw new FileProblem((error as Error).name === "PasswordException" ? strings.fileLocked : strings.fileBroken);
  } finally {
    signal.removeEventListener("abort", stop);
    await task.destroy();
  }
}

/** Rejects with FileProblem, or with the reason of the signal. */
export async function pdfSource(file: File, reading: Reading): Promise<Source> {
  const read = await readPages(await file.arrayBuffer(), reading);
  const numbers = read.flatMap(({ text }, index) => (text ? [index + 1] : []));
  if (numbers.length === 0) throw new FileProblem(strings.fileScanned);
  const drawn = new PdfPictures(file);
  const pages = numbers.map((number): Page => {
    const { text, ratio } = read[number - 1] as Read;
    return { file: file.name, label: strings.page(number), text, picture: drawn.page(number, ratio) };
  });
  const empty = read.length - pages.length;
  return {
    name: file.name, kind: "pdf", pages, pictures: { of: "pdf", original: file, numbers }, close: () => drawn.close(),
    ...(empty > 0 ? { note: strings.somePagesEmpty(file.name, empty) } : {}),
  };
}
