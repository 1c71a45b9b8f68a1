// What the page ranks: a page of a PDF, a picture, or a section of a text. The reranker reads `text` and hands the same object back.
import type { KeptPictures } from "./read/kept-pictures.js";

/** A part of a page's picture, in shares (0..1) of its width and height, from the top left. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Span {
  /** UTF-16 offsets: `text.slice(start, end)`. */
  start: number;
  end: number;
}

/** How a page looks, drawn when somebody looks at it. */
export interface Picture {
  /** Height divided by width, known before it is drawn, so that nothing moves when it comes. */
  readonly ratio: number;
  /** About `width` pixels wide. */
  draw(width: number): Promise<Blob>;
  /** Where a part of the text stands. */
  boxes(span: Span): Promise<Box[]>;
}

export interface Page {
  readonly text: string;
  readonly label: string;
  readonly file: string;
  readonly picture?: Picture;
}

export type Kind = "pdf" | "image" | "html" | "docx" | "markdown" | "text";

/** One source of pages: a file, pasted text, or a sample. */
export interface Source {
  readonly name: string;
  readonly kind: Kind;
  readonly pages: readonly Page[];
  readonly sample?: boolean;
  /** Its text comes with the page itself. */
  readonly builtIn?: boolean;
  /** What the pictures of its pages are drawn from, if they have any. */
  readonly pictures?: KeptPictures;
  /** Something worth saying about a file that was read all the same. */
  readonly note?: string;
  /** Gives back what it holds besides its pages. */
  readonly close?: () => void;
}

/** Told while a file is read. Rejects by `signal`, whose reason is then thrown. */
export interface Reading {
  readonly signal: AbortSignal;
  /** `share` is 0..1; absent while nothing can be said. */
  readonly onProgress: (what: string, share?: number) => void;
}

/** Why a file was skipped, in words for its reader. */
export class FileProblem extends Error {}

/** Whether a passage is all there is between the heading and the end, a last full stop aside. */
export function isWhole(page: Page, span: Span): boolean {
  const rest = page.text.slice(bodyStart(page), span.start) + page.text.slice(span.end);
  return !/[\p{L}\p{N}]/u.test(rest);
}

/** Where a page's text goes on after the heading that its label already shows; 0 when it has none. */
export function bodyStart({ text, label }: Page): number {
  const end = text.indexOf("\n\n");
  return end > 0 && label.startsWith(text.slice(0, end)) ? end + 2 : 0;
}
