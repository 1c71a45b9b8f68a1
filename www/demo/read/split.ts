// Plain and Markdown text -> sections: cut at headings, then into groups of whole paragraphs of about 80 to 200 words.
// Nothing is thrown away and no paragraph is cut, except one that alone is far too long: it is cut between sentences, and a "sentence"
// that is far too long itself (a table, a log, a line of a megabyte) between words, or anywhere where there are none.
import type { Page } from "../pages.js";
import { strings } from "../strings.js";

const LEAST_WORDS = 80;
const MOST_WORDS = 200;
/** Of one sentence, in UTF-16 units. */
const MOST_LENGTH = 3000;

/** A heading, or a paragraph under the last one. */
export type Block = { heading: string } | { text: string };

const words = (text: string): number => text.split(/\s+/u).filter(Boolean).length;

/** Lines -> blocks. Knows `#` headings and headings underlined with = or -. */
export function markdownBlocks(source: string): Block[] {
  const blocks: Block[] = [];
  let lines: string[] = [];
  let fence = false;
  const flush = (): void => {
    const text = lines.join("\n").trim();
    if (text) blocks.push({ text });
    lines = [];
  };
  for (const line of source.split(/\r\n|\r|\n/u)) {
    if (/^\s*(```|~~~)/u.test(line)) fence = !fence;
    const heading = fence ? null : /^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$/u.exec(line);
    if (heading) {
      flush();
      blocks.push({ heading: heading[1] ?? "" });
    } else if (!fence && /^\s{0,3}(=+|-{3,})\s*$/u.test(line) && lines.length === 1 && lines[0]?.trim()) {
      blocks.push({ heading: lines[0].trim() });
      lines = [];
    } else if (!fence && line.trim() === "") flush();
    else lines.push(line);
  }
  flush();
  return blocks;
}

/** Plain text: paragraphs only. A text without blank lines is taken line by line. */
export function textBlocks(source: string): Block[] {
  const text = source.replace(/\r\n?/gu, "\n");
  const paragraphs = text.split(/\n[ \t]*\n\s*/u);
  const parts = paragraphs.length > 1 ? paragraphs : text.split("\n");
  return parts.map((part) => ({ text: part.trim() })).filter((block) => block.text !== "");
}

/** Slices of at most `most` UTF-16 units, cut behind a space where there is one not far from the end. */
export function slices(text: string, most: number): string[] {
  const found: string[] = [];
  let start = 0;
  while (text.length - start > most) {
    const space = text.lastIndexOf(" ", start + most - 1);
    let end = space > start + most / 2 ? space + 1 : start + most;
    // Not between the halves of a surrogate pair.
    if (/[\ud800-\udbff]/u.test(text.charAt(end - 1))) end -= 1;
    found.push(text.slice(start, end));
    start = end;
  }
  return [...found, text.slice(start)];
}

function shorten(paragraph: string): string[] {
  if (paragraph.length <= MOST_LENGTH && words(paragraph) <= MOST_WORDS * 1.5) return [paragraph];
  const segmenter = new Intl.Segmenter(undefined, { granularity: "sentence" });
  // The browser's own cutting is slow on text without sentences: one that is cut in two costs less than a second of standing still.
  const sentences = slices(paragraph, MOST_LENGTH).flatMap((slice) => Array.from(segmenter.segment(slice), ({ segment }) => segment));
  const parts: string[] = [];
  let part = "";
  let size = 0;
  for (const sentence of sentences) {
    const length = words(sentence);
    if (part && (size + length > MOST_WORDS || part.length + sentence.length > MOST_LENGTH)) {
      parts.push(part.trim());
      part = "";
      size = 0;
    }
    part += sentence;
    size += length;
  }
  if (part.trim()) parts.push(part.trim());
  return parts;
}

/** Whole paragraphs, joined until a group is long enough; a short rest joins the group before it. */
export function group(paragraphs: readonly string[]): string[] {
  const groups: string[][] = [];
  let size = 0;
  // In characters: text without spaces counts as few words however long it is.
  let long = 0;
  for (const paragraph of paragraphs.flatMap(shorten)) {
    const length = words(paragraph);
    const last = groups.at(-1);
    if (last && (size < LEAST_WORDS || size + length <= MOST_WORDS) && long + paragraph.length <= 2 * MOST_LENGTH) {
      last.push(paragraph);
      size += length;
      long += paragraph.length;
    } else {
      groups.push([paragraph]);
      size = length;
      long = paragraph.length;
    }
  }
  const [before, last] = groups.slice(-2);
  if (before && last && size < LEAST_WORDS / 2 && long < MOST_LENGTH / 2) {
    before.push(...last);
    groups.pop();
  }
  return groups.map((paragraphsOfOne) => paragraphsOfOne.join("\n\n"));
}

/** Blocks -> pages with labels that say where they come from. */
export function toPages(blocks: readonly Block[], file: string): Page[] {
  const sections: { heading: string; paragraphs: string[] }[] = [{ heading: "", paragraphs: [] }];
  for (const block of blocks) {
    if ("heading" in block) sections.push({ heading: block.heading, paragraphs: [] });
    else sections.at(-1)?.paragraphs.push(block.text);
  }
  const pages: Page[] = [];
  for (const { heading, paragraphs } of sections) {
    const groups = group(paragraphs);
    for (const [place, text] of groups.entries()) {
      const label = heading ? strings.partOf(heading, place + 1, groups.length) : strings.part(pages.length + 1);
      // The heading is part of what a section says.
      pages.push({ file, label, text: heading ? `${heading}\n\n${text}` : text });
    }
  }
  return pages;
}
