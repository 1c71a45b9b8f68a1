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
