// What the OCR benchmark counts and writes down: characters that are wrong, and a table of pictures and readers.

/** Quotes, dashes and spaces as a typewriter has them: which of them a reader writes is taste. */
export const plain = (text) => text.normalize("NFKC").replace(/[\u2018\u2019]/gu, "'").replace(/[\u201c\u201d]/gu, '"').replace(/[\u2010-\u2015]/gu, "-").replace(/\s+/gu, " ").trim();

/** How many characters must be changed, put in or taken out to make the one text of the other (Levenshtein). */
export function wrong(expected, found) {
  const [a, b] = [Array.from(plain(expected)), Array.from(plain(found))];
  let row = Uint32Array.from({ length: b.length + 1 }, (_, place) => place);
  for (const [i, character] of a.entries()) {
    const next = new Uint32Array(b.length + 1);
    next[0] = i + 1;
    for (let j = 0; j < b.length; j += 1) next[j + 1] = Math.min(row[j] + (b[j] === character ? 0 : 1), row[j + 1] + 1, next[j] + 1);
    row = next;
  }
  return row[b.length];
}

const share = (rows) => (100 * rows.reduce((sum, row) => sum + row.wrong, 0)) / rows.reduce((sum, row) => sum + row.characters, 0);
const mean = (rows) => rows.reduce((sum, { ms }) => sum + ms, 0) / rows.length / 1000;
const cell = (percent, seconds) => `${percent.toFixed(2)}%, ${seconds.toFixed(1)} s`;
const mega = (bytes) => (bytes / 1e6).toFixed(1);

export function ocrMarkdown({ machine, date, bytes, results }) {
  const names = Object.keys(results);
  const [first] = Object.values(results);
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [
    `Characters wrong, and seconds a picture. ${machine}; ${date}.`, "",
    line(["picture", ...names]), line(["---", ...names.map(() => "---")]),
    ...first.rows.map(({ picture }, place) => line([picture, ...names.map((name) => cell(share([results[name].rows[place]]), results[name].rows[place].ms / 1000))])),
    line(["**all**", ...names.map((name) => `**${cell(share(results[name].rows), mean(results[name].rows))}**`)]),
    line(["load of the machine", ...names.map((name) => results[name].load.toFixed(1))]),
    line(["until it can read", ...names.map((name) => `${(results[name].openMs / 1000).toFixed(1)} s`)]), "",
    ...Object.entries(bytes).map(([name, { raw, gzip }]) => `${name}: ${mega(raw)} MB, ${mega(gzip)} MB as a server compresses it.`), "",
  ].join("\n");
}
