// PDF -> the text of each page, through pdf.js in its own worker; a page without any is read by OCR (scan.ts). How its pages look is
// drawn later, by pdf-picture.ts.
// No fonts of the file reach the browser, and no scripts of it run.
import { getDocument, GlobalWorkerOptions, type PDFDocumentLoadingTask } from "pdfjs-dist/legacy/build/pdf.mjs";
import { FileProblem, type Page, type Reading, type Source } from "../pages.js";
import { strings } from "../strings.js";
import type { PlacedWords } from "./image-picture.js";
import { joinLines, type Piece } from "./lines.js";
import { PdfPictures } from "./pdf-picture.js";
import { readScan, type Scan } from "./scan.js";

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
  scan?: Scan;
}

interface Pages {
  read: Read[];
  /** Why no more pages were read by OCR. */
  failed?: FileProblem;
}

/** Text and shape of every page; the text is empty where none was found. */
async function readPages(data: ArrayBuffer, { signal, onProgress }: Reading): Promise<Pages> {
  const task = openPdf(data);
  const stop = (): void => void task.destroy();
  signal.addEventListener("abort", stop);
  try {
    const pdf = await task.promise;
    const pages: Pages = { read: [] };
    for (let number = 1; number <= pdf.numPages; number += 1) {
      signal.throwIfAborted();
      const page = await pdf.getPage(number);
      const { items } = await page.getTextContent();
      const { width, height } = page.getViewport({ scale: 1 });
      const own = joinLines(items.filter(isPiece)).text;
      const scan = pages.failed ? undefined : await readScan(page, own, {
        signal, onProgress: (what, share = 0) => onProgress(strings.readingScan(number, pdf.numPages, what), (number - 1 + share) / pdf.numPages),
      }).catch((error: unknown) => {
        if (!(error instanceof FileProblem)) throw error;
        pages.failed = error;
      });
      pages.read.push({ text: scan?.text ?? own, ratio: height / width, ...(scan ? { scan } : {}) });
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

/** What is kept beside the text. */
const placed = ({ words, width, height }: Scan): PlacedWords => ({ words, width, height });

/** Rejects with FileProblem, or with the reason of the signal. */
export async function pdfSource(file: File, reading: Reading): Promise<Source> {
  const { read, failed } = await readPages(await file.arrayBuffer(), reading);
  const numbers = read.flatMap(({ text }, index) => (text ? [index + 1] : []));
  if (numbers.length === 0) throw failed ?? new FileProblem(strings.fileNoWords);
  const drawn = new PdfPictures(file);
  const scans = new Map(read.flatMap(({ scan }, index): [number, PlacedWords][] => (scan ? [[index + 1, placed(scan)]] : [])));
  const pages = numbers.map((number): Page => {
    const { text, ratio } = read[number - 1] as Read;
    return { file: file.name, label: strings.page(number), text, picture: drawn.page(number, ratio, scans.get(number)) };
  });
  const empty = read.flatMap(({ text }, index) => (text ? [] : [index + 1]));
  return {
    name: file.name, kind: "pdf", pages, close: () => drawn.close(),
    pictures: { of: "pdf", original: file, numbers, ...(scans.size > 0 ? { scans } : {}) },
    ...(empty.length > 0 ? { note: strings.pagesLeftOut(file.name, empty, failed?.message) } : {}),
  };
}
