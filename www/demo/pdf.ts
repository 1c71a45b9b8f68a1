// PDF -> the text of each page, through pdf.js in its own worker. Lines are joined to paragraphs by the gaps between them.
// Loaded only when the first PDF comes. No fonts, no drawing, no scripts of the file.
import { getDocument, GlobalWorkerOptions } from "pdfjs-dist/legacy/build/pdf.mjs";
import { FileProblem } from "./pages.js";
import { strings } from "./strings.js";

GlobalWorkerOptions.workerSrc = new URL("./pdfjs/pdf.worker.js", import.meta.url).href;

/** What is used of a piece of text: its characters, whether a line ends after it, and where it stands. */
interface Piece {
  str: string;
  hasEOL: boolean;
  height: number;
  transform: number[];
}

/** A gap of more than this many line heights starts a paragraph. */
const PARAGRAPH_GAP = 1.7;

export function joinLines(pieces: readonly Piece[]): string {
  let text = "";
  let line = "";
  let above: number | undefined;
  let height = 0;
  let y: number | undefined;
  const flush = (): void => {
    const trimmed = line.replace(/\s+/gu, " ").trim();
    line = "";
    if (!trimmed) return;
    const gap = above !== undefined && y !== undefined ? Math.abs(above - y) : 0;
    if (text === "") text = trimmed;
    else if (height > 0 && gap > height * PARAGRAPH_GAP) text += `\n\n${trimmed}`;
    // A word broken at the end of a line.
    else if (/\p{Ll}-$/u.test(text) && /^\p{Ll}/u.test(trimmed)) text = text.slice(0, -1) + trimmed;
    else text += ` ${trimmed}`;
    above = y;
  };
  for (const piece of pieces) {
    if (piece.str.trim()) {
      y = piece.transform[5];
      height = piece.height || height;
    }
    line += piece.str;
    if (piece.hasEOL) flush();
  }
  flush();
  return text;
}

/** The text of every page, empty where a page has none. Rejects with FileProblem. */
export async function pdfTexts(data: ArrayBuffer): Promise<string[]> {
  const task = getDocument({
    data, disableFontFace: true, useSystemFonts: false, enableXfa: false, stopAtErrors: false, verbosity: 0,
    cMapUrl: new URL("./pdfjs/cmaps/", import.meta.url).href, cMapPacked: true,
  });
  try {
    const document = await task.promise;
    const texts: string[] = [];
    for (let number = 1; number <= document.numPages; number += 1) {
      const page = await document.getPage(number);
      const { items } = await page.getTextContent();
      texts.push(joinLines(items.filter((item): item is typeof item & Piece => "str" in item)));
      page.cleanup();
    }
    return texts;
  } catch (error) {
    throw new FileProblem((error as Error).name === "PasswordException" ? strings.fileLocked : strings.fileBroken);
  } finally {
    await task.destroy();
  }
}
