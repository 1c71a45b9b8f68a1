// What the page ranks: a page of a PDF, or a section of a text. The reranker reads `text` and hands the same object back.
export interface Page {
  readonly text: string;
  readonly label: string;
  readonly file: string;
}

/** One source of pages: a file, pasted text, or the sample. */
export interface Source {
  readonly name: string;
  readonly pages: readonly Page[];
  readonly sample?: boolean;
  /** Something worth saying about a file that was read all the same. */
  readonly note?: string;
}

/** Why a file was skipped, in words for its reader. */
export class FileProblem extends Error {}

/** Whether a passage is all there is between the heading and the end, a last full stop aside. */
export function isWhole(page: Page, span: { start: number; end: number }): boolean {
  const rest = page.text.slice(bodyStart(page), span.start) + page.text.slice(span.end);
  return !/[\p{L}\p{N}]/u.test(rest);
}

/** Where a page's text goes on after the heading that its label already shows; 0 when it has none. */
export function bodyStart({ text, label }: Page): number {
  const end = text.indexOf("\n\n");
  return end > 0 && label.startsWith(text.slice(0, end)) ? end + 2 : 0;
}
