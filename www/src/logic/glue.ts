// What the WASM variants `logic` and `images` export, as wasm-bindgen describes it: control flow and page images, no networks.
import type { LlmImage } from "../llm.js";
import type { AnyGlue } from "../wasm.js";

/** What a call's WASM asks of the worker around it. */
export interface Host {
  /** Rejects with what the page threw, or with `aborted`. */
  ask(kind: AskKind, payload: unknown): Promise<unknown>;
  /** Resolves false when the call is not wanted any more. */
  progress(progress: unknown): Promise<boolean>;
}

/** What only the page can answer: it has the reranker, the caller's functions and the embedder. */
export type AskKind = "judge" | "llm" | "verifier" | "embed" | "grid" | "cached" | "keep";

export interface NativeHits {
  order: Uint32Array;
  scores: Float32Array;
}

export interface NativeFound {
  /** Numbers of the documents, best first. */
  documents: Uint32Array;
  scores: Float32Array;
  /** NaN where a side has not found the document. */
  bm25: Float32Array;
  vectors: Float32Array;
}

/** BM25 and vectors of an index, by number. Numbers are added in ascending order. */
export interface NativeIndex {
  add(numbers: Uint32Array, texts: string[]): void;
  /** The fields of an Embedding of so many texts. */
  addVectors(numbers: Uint32Array, vectors: Float32Array, dimensions: number, lengths?: Uint32Array, ids?: Uint32Array): void;
  forgetVectors(): void;
  remove(numbers: Uint32Array): void;
  documents(): Uint32Array;
  withVectors(): Uint32Array;
  /** The embedding is the query's. */
  search(options: { text: string; top: number; mode: string }, vectors: Float32Array | undefined, dimensions: number, lengths?: Uint32Array, ids?: Uint32Array): NativeFound;
  /** BM25 without vectors, for `restore`. */
  state(): Uint8Array;
  free(): void;
}

export interface ImagesGlue extends AnyGlue {
  /** Throws `invalid_argument` for what is no PNG, JPEG or WebP, is broken or too large. */
  prepareImage(file: Uint8Array, options: { longestSide?: number }): LlmImage;
  /** Pages as files in one image, each under its number from 1. Throws as above, with the number of the page. */
  gridImage(files: Uint8Array[], options: { longestSide?: number }): LlmImage;
}

export interface LogicGlue extends AnyGlue {
  strategies(): unknown;
  runStrategy(query: string, documents: string[], options: unknown, host: Host): Promise<unknown>;
  SearchIndex: {
    new (stemming: string): NativeIndex;
    /** Throws `invalid_argument` for what another version has stored. */
    restore(state: Uint8Array): NativeIndex;
  };
  fuse(fusion: string, firstStage: Float32Array, order: Uint32Array, scores: Float32Array): NativeHits;
  generateNegatives(options: unknown, host: Host): Promise<{ stopped?: unknown }>;
  exportGroups(groups: unknown, format: string): string;
  importGroups(text: string, format: string): unknown;
}

/** The variant `logic`, supplied by a host that cannot load it by URL (Node, edge workers). */
export interface SuppliedLogic {
  glue: LogicGlue;
  module: WebAssembly.Module;
  /** The variant `images`, for pages with an image. */
  images?: SuppliedImages;
}

export interface SuppliedImages {
  glue: ImagesGlue;
  module: WebAssembly.Module;
}
