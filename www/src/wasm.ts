// The shape of the engine's WASM module as wasm-bindgen exports it, and loading any variant. Choosing among those of the engine is
// engine.ts's business; what the variant logic exports is described in logic/glue.ts.
import { RerankError } from "./errors.js";
import type { Embedding } from "./strategy-types.js";
import type { WasmPlaces, WasmUrls } from "./place.js";
import type { DeviceKind, Variant } from "./types.js";

export interface NativeProgress {
  batch: number;
  batches: number;
  tokens: number;
  totalTokens: number;
}

export interface NativeOptions {
  topN?: number;
  rawScores?: boolean;
  maxTokensPerDocument?: number;
  window?: number;
  overlap?: number;
  share?: NativeShare;
}

/** The windows of each document that a worker is asked about: the nth part, from 0, of so many. */
export interface NativeShare {
  nth: number;
  of: number;
}

/** What a call computed, and how long it took. */
export interface NativeCosts {
  usage: { tokens: number; batches: number; paddedTokens: number; passages: number };
  timing: { tokenizeMs: number; scoreMs: number };
}

export type NativeVectors = NativeCosts & Embedding;

export interface NativeRanking extends NativeCosts {
  /** Input index of each result, best first. */
  order: Uint32Array;
  scores: Float32Array;
  /** Two each: start and end of the best passage. */
  passages: Uint32Array;
}

export interface NativeInfo {
  model: string;
  architecture: string;
  device: DeviceKind;
  parameters: number;
  maxLength: number;
  score: "logit" | "cosine";
  licence: string;
  version: string;
}

export interface NativeEngine {
  selfTest(): Promise<number>;
  info(): NativeInfo;
  rerank(
    query: string, documents: string[], options: NativeOptions,
    onBatch?: (progress: NativeProgress) => Promise<boolean>,
  ): Promise<NativeRanking>;
  embed(texts: string[], kind: string, onBatch?: (progress: NativeProgress) => Promise<boolean>): Promise<NativeVectors>;
  free(): void;
}

/** What `foliorank.js` of every variant exports. */
export interface AnyGlue {
  default(options: { module_or_path: URL | Response | ArrayBuffer | WebAssembly.Module }): Promise<unknown>;
  version(): string;
}

/** What that of cpu and gpu exports. */
export interface Glue extends AnyGlue {
  Engine: {
    load(manifest: string, tokenizer: Uint8Array, weights: Uint8Array, device: string, digest?: string): Promise<NativeEngine>;
    warmUp(manifest: string, device: string): Promise<number>;
  };
}

/** A module supplied by a host that cannot load one at run time (edge workers). */
export interface SuppliedWasm {
  glue: Glue;
  module: WebAssembly.Module;
  variant: Variant;
}

/**
 * Downloads and starts one variant. `generation` above 0 asks for a new instance in a realm that already has one:
 * the glue keeps its instance in a module variable, so another URL is another instance.
 */
export async function loadWasm<G extends AnyGlue = Glue>(variant: keyof WasmPlaces, urls: WasmUrls, generation: number): Promise<G> {
  const script = new URL(urls.script);
  if (generation > 0) script.searchParams.set("generation", String(generation));
  const failed = (what: string, cause: unknown): RerankError =>
    new RerankError("download", `the ${variant} WASM module could not be loaded: ${what}`, { cause });

  const [glue, response] = await Promise.all([
    (import(/* webpackIgnore: true */ /* @vite-ignore */ script.href) as Promise<G>)
      .catch((error: unknown) => { throw failed(`${script.href} (${String(error)})`, error); }),
    fetch(urls.module).catch((error: unknown) => { throw failed(`${urls.module} (${String(error)})`, error); }),
  ]);
  if (!response.ok) throw failed(`the server answered ${response.status} for ${urls.module}`, undefined);
  try {
    await glue.default({ module_or_path: response });
  } catch (error) {
    // Cut while streaming, or a browser without what the module needs (SIMD): the browser's words say which.
    throw failed(String(error), error);
  }
  return glue;
}
