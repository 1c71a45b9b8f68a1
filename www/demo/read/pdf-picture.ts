// Pictures of PDF pages: the file is opened again when a page is first looked at, pages are drawn one after the other, and the
// document is closed when nobody has looked for a while. A 300-page file so costs no more than the pages that are seen.
import type { PDFDocumentLoadingTask, PDFPageProxy } from "pdfjs-dist/legacy/build/pdf.mjs";
import type { Box, Picture, Span } from "../pages.js";
import { wordBoxes, type PlacedWords } from "./image-picture.js";
import { covered, joinLines } from "./lines.js";
import { isPiece, openPdf } from "./pdf.js";

const IDLE_MS = 20_000;
/** Pages of any shape stay below this. OCR does not read better in more, it only takes longer. */
const MOST_PIXELS = 6e6;

export const toFile = (canvas: HTMLCanvasElement, type: "image/webp" | "image/png"): Promise<Blob> => new Promise((resolve, reject) => {
  canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture could not be kept"))), type, 0.85);
});

/** Draws a page at this scale, or smaller where that were too many pixels. Its memory is given back when its width is set to 0. */
export async function drawPage(page: PDFPageProxy, scale: number): Promise<HTMLCanvasElement> {
  const whole = page.getViewport({ scale: 1 });
  const viewport = page.getViewport({ scale: Math.min(scale, Math.sqrt(MOST_PIXELS / (whole.width * whole.height))) });
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(viewport.width));
  canvas.height = Math.max(1, Math.round(viewport.height));
  // For the screen it is drawn frame by frame, and a tab in the background has no frames.
  await page.render({ canvas, viewport, background: "#fff", intent: document.hidden ? "print" : "display" }).promise;
  return canvas;
}

export class PdfPictures {
  readonly #file: Blob;
  #task: PDFDocumentLoadingTask | undefined;
  #closed = false;
  #idle: ReturnType<typeof setTimeout> | undefined;
  /** The last of the works that stand in line. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(file: Blob) {
    this.#file = file;
  }

  /** `scan`: the words that OCR has read where the page has no text of its own. */
  page(number: number, ratio: number, scan?: PlacedWords): Picture {
    return {
      ratio,
      draw: (width) => this.#with(number, (page) => this.#draw(page, width)),
      boxes: (span) => (scan ? Promise.resolve(wordBoxes(scan, span)) : this.#with(number, (page) => this.#boxes(page, span))),
    };
  }

  close(): void {
    this.#closed = true;
    this.#forget();
  }

  #forget(): void {
    clearTimeout(this.#idle);
    void this.#task?.destroy();
    this.#task = undefined;
  }

  async #with<T>(number: number, work: (page: PDFPageProxy) => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => {
      if (this.#closed) throw new DOMException("The document was removed", "AbortError");
      clearTimeout(this.#idle);
      try {
        this.#task ??= openPdf(await this.#file.arrayBuffer());
        const page = await (await this.#task.promise).getPage(number);
        const result = await work(page);
        page.cleanup();
        return result;
      } finally {
        this.#idle = setTimeout(() => this.#forget(), IDLE_MS);
      }
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #draw(page: PDFPageProxy, width: number): Promise<Blob> {
    const canvas = await drawPage(page, width / page.getViewport({ scale: 1 }).width);
    const blob = await toFile(canvas, "image/webp");
    canvas.width = 0;
    return blob;
  }

  async #boxes(page: PDFPageProxy, span: Span): Promise<Box[]> {
    const { items } = await page.getTextContent();
    const pieces = items.filter(isPiece);
    const { spans } = joinLines(pieces);
    const viewport = page.getViewport({ scale: 1 });
    return pieces.flatMap((piece, index): Box[] => {
      const part = covered(spans[index] ?? { start: 0, end: 0 }, span);
      if (!part || !piece.str.trim()) return [];
      const [x = 0, y = 0] = piece.transform.slice(4);
      const [left = 0, bottom = 0] = viewport.convertToViewportPoint(x + piece.width * part.from, y - piece.height * 0.22);
      const [right = 0, top = 0] = viewport.convertToViewportPoint(x + piece.width * part.to, y + piece.height * 0.92);
      return [{
        x: Math.min(left, right) / viewport.width, y: Math.min(top, bottom) / viewport.height,
        width: Math.abs(right - left) / viewport.width, height: Math.abs(bottom - top) / viewport.height,
      }];
    });
  }
}
