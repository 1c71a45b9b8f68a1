// Pages -> passages for a first stage: groups of whole sentences of about a hundred words, which know where on their page they stand.
// What goes on without end as one sentence (a table, a log, a line of a megabyte) or without spaces is cut: a passage that is longer than a
// model reads at once is scored in many windows, and a long question leaves little room in each.
import type { Page, Span } from "../pages.js";
import { slices } from "../read/split.js";

const MOST_WORDS = 110;
/** In UTF-16 units: more than so many words have, and not more tokens than the models read at once beside a question. */
const MOST_LENGTH = 900;
/** A rest shorter than this joins the passage before it. */
const LEAST_WORDS = 25;
const LEAST_LENGTH = 225;

export interface Passage extends Span {
  /** The same for the same text of the same file at the same place, also at the next visit. */
  readonly id: string;
  readonly text: string;
  readonly file: string;
  readonly label: string;
}

const words = (text: string): number => text.split(/\s+/u).filter(Boolean).length;

/** Sentences with their places; a line break between paragraphs ends one, too. */
export function sentences(text: string): Span[] {
  const found: Span[] = [];
  const segmenter = new Intl.Segmenter(undefined, { granularity: "sentence" });
  for (const { index, segment } of segmenter.segment(text)) {
    const trimmed = segment.trimEnd();
    const start = index + trimmed.length - trimmed.trimStart().length;
    if (trimmed.trim()) found.push({ start, end: index + trimmed.length });
  }
  return found;
}

/** Sentences, or slices of those that are too long for one passage. */
function pieces(text: string): Span[] {
  return sentences(text).flatMap((sentence) => {
    let { start } = sentence;
    return slices(text.slice(start, sentence.end), MOST_LENGTH).map((slice): Span => {
      const piece = { start, end: start + slice.trimEnd().length };
      start += slice.length;
      return piece;
    }).filter(({ start: from, end }) => end > from);
  });
}

/** A hash that only has to tell texts apart (FNV-1a, twice with other seeds). */
function fingerprint(text: string): string {
  let [a, b] = [0x811c9dc5, 0x1b873593];
  for (let place = 0; place < text.length; place += 1) {
    const code = text.charCodeAt(place);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ (code + 31), 0x01000197);
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36);
}

export function passagesOf(page: Page): Passage[] {
  const key = fingerprint(`${page.file}\n${page.label}\n${page.text}`);
  const spans: Span[] = [];
  let size = 0;
  for (const { start, end } of pieces(page.text)) {
    const length = words(page.text.slice(start, end));
    const last = spans.at(-1);
    if (last && size + length <= MOST_WORDS && end - last.start <= MOST_LENGTH) {
      last.end = end;
      size += length;
    } else {
      spans.push({ start, end });
      size = length;
    }
  }
  const [before, last] = spans.slice(-2);
  if (before && last && size < LEAST_WORDS && last.end - last.start < LEAST_LENGTH) {
    before.end = last.end;
    spans.pop();
  }
  return spans.map(({ start, end }) => ({ id: `${key}:${start}`, text: page.text.slice(start, end), start, end, file: page.file, label: page.label }));
}
