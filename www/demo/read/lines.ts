// The pieces of text of a PDF page -> lines -> paragraphs, by the gaps between the lines. Remembers where in the text each piece went,
// so that a passage can be shown on the picture of the page.
import type { Span } from "../pages.js";

/** What is used of a piece of text: its characters, whether a line ends after it, and where it stands. */
export interface Piece {
  str: string;
  hasEOL: boolean;
  width: number;
  height: number;
  transform: number[];
}

/** A gap of more than this many line heights starts a paragraph. */
const PARAGRAPH_GAP = 1.7;

export interface Joined {
  text: string;
  /** For every piece where it stands in the text; empty for those that added nothing. */
  spans: Span[];
}

const flat = (text: string): string => text.replace(/\s+/gu, " ");

export function joinLines(pieces: readonly Piece[]): Joined {
  const spans: Span[] = pieces.map(() => ({ start: 0, end: 0 }));
  let text = "";
  let line = "";
  /** The pieces of the line, and where each ends in it. */
  let parts: { index: number; from: number; to: number }[] = [];
  let above: number | undefined;
  let height = 0;
  let y: number | undefined;
  const flush = (): void => {
    const trimmed = line.trim();
    const cut = line.length - line.trimStart().length;
    const own = parts;
    line = "";
    parts = [];
    if (!trimmed) return;
    const gap = above !== undefined && y !== undefined ? Math.abs(above - y) : 0;
    if (text !== "") {
      if (height > 0 && gap > height * PARAGRAPH_GAP) text += "\n\n";
      // A word broken at the end of a line.
      else if (/\p{Ll}-$/u.test(text) && /^\p{Ll}/u.test(trimmed)) text = text.slice(0, -1);
      else text += " ";
    }
    const base = text.length;
    text += trimmed;
    const within = (place: number): number => base + Math.min(Math.max(place - cut, 0), trimmed.length);
    for (const { index, from, to } of own) spans[index] = { start: within(from), end: within(to) };
    above = y;
  };
  for (const [index, piece] of pieces.entries()) {
    if (piece.str.trim()) {
      y = piece.transform[5];
      height = piece.height || height;
    }
    const from = line.length;
    // One space is enough, also where one piece ends with one and the next begins with one.
    const added = flat(piece.str);
    line += line.endsWith(" ") ? added.trimStart() : added;
    parts.push({ index, from, to: line.length });
    if (piece.hasEOL) flush();
  }
  flush();
  return { text, spans };
}

/** Of a piece, the share that a span covers, as if all characters were equally wide; undefined where it covers nothing. */
export function covered(piece: Span, span: Span): { from: number; to: number } | undefined {
  const length = piece.end - piece.start;
  const start = Math.max(piece.start, span.start);
  const end = Math.min(piece.end, span.end);
  if (length <= 0 || end <= start) return undefined;
  return { from: (start - piece.start) / length, to: (end - piece.start) / length };
}
