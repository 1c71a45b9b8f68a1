// The texts of the benchmark, the same on every machine: our own sample report, then prose from the README files of packages that the
// lock files pin. Nothing is random and nothing is downloaded here.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const SOURCES = [
  "www/demo/samples/ellerwick.md",
  "bench/node_modules/@huggingface/transformers/README.md",
  "www/node_modules/typescript/NOTICE.txt",
  "bench/node_modules/protobufjs/README.md",
];
const WORDS_A_PAGE = 400;
const PAGES = 40;

export const QUERY = "what did the new footbridge cost and who paid for it";

/** Markdown to paragraphs of plain prose: no code, tables, tags or link targets. */
export function paragraphs(markdown) {
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, "").replace(/<!--[\s\S]*?-->|<[^>]*>/g, " ")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/https?:\/\/\S+/g, "");
  return prose.split(/\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )/)
    .map((part) => part.replace(/^[\s#>*-]+|[*`]/gm, "").replace(/\s+/g, " ").trim())
    .filter((part) => !part.includes("|") && part.split(" ").length >= 8);
}

const corpus = () => SOURCES.flatMap((file) => paragraphs(readFileSync(join(root, file), "utf8")));

/** `count` passages of 8 to about 200 words: one to four paragraphs each, long ones cut. */
export function passages(count, source = corpus()) {
  const made = [];
  for (let at = 0; made.length < count; at += 1) {
    const take = 1 + (made.length * 7) % 4;
    const words = Array.from({ length: take }, (_, i) => source[(at * 3 + i) % source.length]).join(" ").split(" ");
    made.push(words.slice(0, 200).join(" "));
  }
  return made;
}

/** One document of 40 pages of 400 words. */
export function longDocument(source = corpus()) {
  const words = source.join(" ").split(" ");
  const wanted = PAGES * WORDS_A_PAGE;
  if (words.length < wanted) throw new Error(`expected at least ${wanted} words of text, found ${words.length}`);
  return words.slice(0, wanted).join(" ");
}

/** `count` texts of about `words` words, all different. */
export function shortDocuments(count, words, source = corpus()) {
  const all = source.join(" ").split(" ");
  return Array.from({ length: count }, (_, i) => `${i} ${Array.from({ length: words }, (_, j) => all[(i * 13 + j) % all.length]).join(" ")}`);
}

/** `count` texts of exactly `tokens` tokens, found by adding whole words; `countTokens` is the model's own tokenizer. */
export function exactDocuments(count, tokens, countTokens, source = corpus()) {
  const words = source.join(" ").split(" ");
  const filler = "the";
  return Array.from({ length: count }, (_, i) => {
    let text = "";
    let length = 0;
    for (let at = i * 100; length < tokens; at += 1) {
      const longer = `${text} ${words[at % words.length]}`.trim();
      const next = countTokens(longer);
      text = next <= tokens ? longer : `${text} ${filler}`.trim();
      length = countTokens(text);
    }
    return text;
  });
}
