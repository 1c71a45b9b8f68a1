// The answer of a language model, taken apart into its words and its citations.

/** What a language model wrote: words, and numbers of passages (from 1). */
export type Part = { text: string } | { cites: number };

/** Words and citations; numbers of passages that it was not given stay words. */
export function cited(text: string, passages: number): Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (const match of text.matchAll(/\[(\d+(?:\s*[,;]\s*\d+)*)\]/gu)) {
    const numbers = (match[1] ?? "").split(/[,;]/u).map(Number);
    if (!numbers.every((number) => number >= 1 && number <= passages)) continue;
    if (match.index > from) parts.push({ text: text.slice(from, match.index) });
    parts.push(...numbers.map((number) => ({ cites: number })));
    from = match.index + match[0].length;
  }
  if (from < text.length) parts.push({ text: text.slice(from) });
  return parts;
}
