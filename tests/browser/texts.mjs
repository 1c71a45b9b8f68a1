// Documents made of common words, the same in every run.
const WORDS = "the old stone bridge over a river was made in one long winter and good water for council city money park people year".split(" ");

/** `count` documents whose lengths in words go round through `lengths`. */
export function mixedDocuments(count, lengths) {
  let seed = 20_240_607;
  const next = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return WORDS[Math.floor((seed / 2 ** 32) * WORDS.length)];
  };
  return Array.from({ length: count }, (_, index) => Array.from({ length: lengths[index % lengths.length] + (index % 3) }, next).join(" "));
}

/** A Markdown document of `count` sections, so many sentences each. */
export const sections = (count, sentences) =>
  Array.from({ length: count }, (_, index) => `# Section ${index}\n\n${`Sentence ${index} about a bridge over the river and its cost. `.repeat(sentences)}`).join("\n\n");

/** Lines of `count` pages, for `makePdf`. */
export const bookPages = (count) =>
  Array.from({ length: count }, (_, number) => Array.from({ length: 30 }, (_, line) => `Page ${number} line ${line} about the bridge over the river.`));
