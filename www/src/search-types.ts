// The public vocabulary of Index. Types only.
import type { EmbedderLike } from "./strategy-types.js";

/** A document to be found: an id, its text, and whatever else should come back with it (anything that structured clone can copy). */
export interface IndexDocument {
  /** The only document with this id: adding another replaces it. */
  readonly id: string;
  readonly text: string;
}

/** `english`: English stems without stop words. `none`: words of any language as they stand, in lower case. */
export type Stemming = "none" | "english";

/** What an index asks of an Embedder: vectors, and the name of their model. */
export interface IndexEmbedder extends EmbedderLike {
  readonly info: { readonly model: string };
}

/** Documents stored, or given a vector, of those to be. */
export interface IndexProgress {
  type: "add" | "embed";
  done: number;
  total: number;
}

export interface IndexOptions {
  /** Names the stored index, for all pages of this origin. */
  name: string;
  /**
   * Gives documents vectors, for the mode of its kind (`dense` for a bi-encoder, `late` for late interaction, `sparse` for a sparse encoder)
   * and for `hybrid`. What is stored without a vector of this model, or with one of another, gets one before `open` resolves. Late
   * interaction stores a vector a token, 1.5 kB with 384 dimensions, and keeps a quarter of it in memory.
   */
  embedder?: IndexEmbedder;
  /** Decided when the index is made: default `none` then, and afterwards what it was. */
  stemming?: Stemming;
  signal?: AbortSignal;
  onProgress?: (progress: IndexProgress) => void;
  /** Folder holding `logic/`. Default: `wasm/` beside this script. */
  wasmUrl?: string | URL;
  /** Default true where there is `Worker`. */
  worker?: boolean;
}

export interface AddOptions {
  signal?: AbortSignal;
  onProgress?: (progress: IndexProgress) => void;
}

export type SearchMode = "bm25" | "dense" | "late" | "sparse" | "hybrid";

export interface SearchOptions {
  /** Documents to return; default 10. */
  top?: number;
  /** Default `hybrid` with an embedder, else `bm25`. */
  mode?: SearchMode;
  /** How `hybrid` mixes BM25 (the first) and vectors: `rrf` (default), `rrf:K`, `z:ALPHA`, `minmax:ALPHA` or `logrank`. */
  fusion?: string;
  signal?: AbortSignal;
}

export interface SearchResult<D extends IndexDocument = IndexDocument> {
  id: string;
  /** As the mode has it; higher is better. */
  score: number;
  /** 1 is the best. */
  rank: number;
  document: D;
  /** Of each side that has found it: BM25's own number, and the cosine, the sum of the best cosines of the query's tokens (MaxSim), or the product of weights. */
  scores: { bm25?: number; dense?: number; late?: number; sparse?: number };
}
