// Text as paragraphs with one passage marked.
import { make } from "../dom.js";
import type { Span } from "../pages.js";

/** The paragraphs of `text` from `offset` on, the passage marked in each that it touches; `mark` is the first of them. */
export function markedText(text: string, offset: number, span: Span | undefined): { nodes: Node[]; mark?: HTMLElement } {
  const nodes: Node[] = [];
  let mark: HTMLElement | undefined;
  for (const [piece] of text.slice(offset).matchAll(/[\s\S]*?(?:\n\s*\n|$)/gu)) {
    if (piece === "") continue;
    const length = piece.trimEnd().length;
    const from = Math.min(Math.max((span?.start ?? 0) - offset, 0), length);
    const to = Math.min(Math.max((span?.end ?? 0) - offset, 0), length);
    const paragraph = make("p");
    if (from > 0) paragraph.append(piece.slice(0, from));
    if (to > from) {
      const part = make("mark", "", piece.slice(from, to));
      mark ??= part;
      paragraph.append(part);
    }
    paragraph.append(piece.slice(Math.max(from, to), length));
    if (paragraph.textContent?.trim()) nodes.push(paragraph);
    offset += piece.length;
  }
  return mark ? { nodes, mark } : { nodes };
}
