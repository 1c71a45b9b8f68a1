// What the WASM variant `logic` exports, as wasm-bindgen describes it: control flow only, no networks.
import type { AnyGlue } from "../wasm.js";

/** What a call's WASM asks of the worker around it. */
export interface Host {
  /** Rejects with what the page threw, or with `aborted`. */
  ask(kind: AskKind, payload: unknown): Promise<unknown>;
  /** Resolves false when the call is not wanted any more. */
  progress(progress: unknown): Promise<boolean>;
}

/** What only the page can answer: it has the reranker, the caller's functions and the embedder. */
export type AskKind = "judge" | "llm" | "embed";

export interface NativeHits {
  order: Uint32Array;
  scores: Float32Array;
}

export interface LogicGlue extends AnyGlue {
  strategies(): unknown;
  runStrategy(query: string, documents: string[], options: unknown, host: Host): Promise<unknown>;
  fuse(fusion: string, firstStage: Float32Array, order: Uint32Array, scores: Float32Array): NativeHits;
}
