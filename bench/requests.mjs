// The requests that bench/load.mjs and bench/soak.mjs send, of several sizes, and the texts they are made of.

const WORDS = "the old stone bridge over the river was made in a long winter and paid for by the town with a loan of forty years".split(" ");
export const text = (words, from) => Array.from({ length: words }, (_, at) => WORDS[(from + at * 7) % WORDS.length]).join(" ");
/** Requests of several sizes, in turn: documents and words of each. */
export const SIZES = [[1, 15], [2, 25], [1, 60], [4, 15], [1, 15], [8, 30]];
export const BODIES = SIZES.map(([documents, words], size) => JSON.stringify({ query: "who paid for the bridge", documents: Array.from({ length: documents }, (_, at) => text(words, size + at)) }));
