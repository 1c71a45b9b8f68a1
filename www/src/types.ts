// The public vocabulary of the package: options, results, progress and info.
// Types only; nothing here runs. Those of strategies are in strategy-types.ts.
import type { Embedding, StrategyOptions, StrategyReport, TextKind } from "./strategy-types.js";

/** What the caller asks for. `auto` measures and keeps the faster device. */
export type DeviceRequest = "auto" | "webgpu" | "cpu";
/** What actually computes. */
export type DeviceKind = "webgpu" | "cpu";
/** How many workers share the work on the CPU; `auto` asks the number of cores and the memory, and takes at most four. */
export type ThreadRequest = number | "auto";
/** Which WASM file was downloaded: `gpu` holds both devices, `cpu` only the CPU, `cpu-relaxed` the same for browsers with relaxed SIMD. */
export type Variant = "gpu" | "cpu" | "cpu-relaxed";
/**
 * `default`: files come from the Cache API where they are there, and are kept there.
 * `no-store`: always from the network, nothing is kept. `only-if-cached`: never from the network.
 */
export type CacheMode = "default" | "no-store" | "only-if-cached";

/** A document is a string, or any object with a `text`; other fields pass through untouched. */
export type RerankDocument = string | { readonly text: string };

/** The adapter as the browser describes it; empty strings where it keeps quiet. */
export interface AdapterDescription {
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  /** True for a software adapter such as SwiftShader. */
  fallback: boolean;
}

export interface DeviceInfo {
  requested: DeviceRequest;
  kind: DeviceKind;
  /** One sentence for people: why this device computes. */
  reason: string;
  /** Milliseconds for the same one-layer pass; only there when `auto` measured both. */
  measured?: { webgpuMs: number; cpuMs: number };
  adapter?: AdapterDescription;
  /** WebGPU features of the adapter that matter here. */
  features: { timestampQuery: boolean; shaderF16: boolean; subgroups: boolean };
}

export interface RerankerInfo {
  model: string;
  architecture: string;
  /** `logit`: relevanceScore is its sigmoid unless rawScores. `cosine`: its positive part. Both are 0..1. */
  score: "logit" | "cosine";
  parameters: number;
  /** Tokens the model reads at once, query and special tokens included. */
  maxLength: number;
  /** Licence of the weights. */
  licence: string;
  /** Version of the WASM module. */
  version: string;
  variant: Variant;
  device: DeviceInfo;
  /** Workers that are ready to share the work. Those beyond the first join after `load` has resolved. */
  threads: number;
  /** Worst difference to the model's known answers, in its own score units. */
  selfTest: number;
  /** Things that went wrong and were survived, e.g. a restart on the CPU. */
  warnings: readonly string[];
}

export type LoadProgress =
  | { type: "download"; file: string; loaded: number; total: number; cached: boolean }
  | { type: "initialise"; variant: Variant; device: DeviceRequest }
  | { type: "warm_up"; device: DeviceKind }
  | { type: "ready"; device: DeviceKind };

export type RerankProgress =
  | { type: "queued"; ahead: number }
  /**
   * After every batch. `batches` is 0 while the documents are still being cut into tokens. With several `threads` the totals are
   * estimates until the last piece of the work is begun; `tokens / totalTokens` never goes back, except after a restart.
   */
  | { type: "batch"; batch: number; batches: number; tokens: number; totalTokens: number; threads: number }
  /** A worker died, and what it was doing starts again on a fresh one. */
  | { type: "restart"; reason: string }
  /** With a `strategy`, in place of `batch`: judgements and passes done, of how many at most, and what it has cost so far. */
  | { type: "strategy"; step: number; steps: number; judgements: number; passes: number; calls: number; inputTokens: number; outputTokens: number };

export interface LoadOptions {
  /** URL of a folder with `model.json`, or of a `model.json`. Relative to the page. */
  model: string | URL;
  /** Default `auto`. */
  device?: DeviceRequest;
  signal?: AbortSignal;
  onProgress?: (progress: LoadProgress) => void;
  /** Default `default`. */
  cache?: CacheMode;
  /** Folder holding `cpu/`, `gpu/`, `logic/` and `images/`. Default: `wasm/` beside this script. */
  wasmUrl?: string | URL;
  /** Default true where there is `Worker`. False computes on the calling thread. */
  worker?: boolean;
  /**
   * Default `auto`. Workers that share the documents of a call on the CPU, 1 to 64; each holds the model in memory. Without effect
   * (one) on WebGPU and on the calling thread. A long document is shared by its windows.
   */
  threads?: ThreadRequest;
}

export interface RerankOptions extends StrategyOptions {
  /** Keep only the best n. */
  topN?: number;
  /** Give each result its document (the very same object) and the passage's text. */
  returnDocuments?: boolean;
  /** The model's own numbers instead of 0..1: logits, or cosines of -1..1. */
  rawScores?: boolean;
  /** Tokens read of each document; the rest is ignored. Default: all of it. */
  maxTokensPerDocument?: number;
  /** Tokens of a document per passage, for documents longer than that. */
  window?: number;
  /** Tokens shared by neighbouring passages; less than the window. */
  overlap?: number;
  signal?: AbortSignal;
  onProgress?: (progress: RerankProgress) => void;
}

/** The best passage, as UTF-16 offsets: `text.slice(start, end)`. */
export interface Passage {
  start: number;
  end: number;
  /** With `returnDocuments`. */
  text?: string;
}

export interface RerankResult<D extends RerankDocument = RerankDocument> {
  /** Position in the input, from 0. */
  index: number;
  /** 0..1, or the model's own number with `rawScores`. With `fuse`, and with a `strategy` other than a plain `pointwise`, theirs. */
  relevanceScore: number;
  /** 1 is the best. */
  rank: number;
  /** Absent where this model has not read the document, as with a judge of the caller's. */
  passage?: Passage;
  /** With `returnDocuments`. */
  document?: D;
}

/** Sums over all workers. */
export interface RerankUsage {
  tokens: number;
  batches: number;
  /** Tokens computed only because batches are rectangular. */
  paddedTokens: number;
  passages: number;
}

export interface RerankTiming {
  /** Waiting behind other requests. */
  queuedMs: number;
  /** This and scoreMs are those of the worker that computed longest. */
  tokenizeMs: number;
  scoreMs: number;
  /** From the call to the answer, everything included. */
  totalMs: number;
}

export interface RerankResponse<D extends RerankDocument = RerankDocument> {
  /** Best first. */
  results: RerankResult<D>[];
  usage: RerankUsage;
  timing: RerankTiming;
  device: DeviceKind;
  /** With a `strategy`. */
  strategy?: StrategyReport;
}

export interface EmbedOptions {
  /** Default `document`. Some models read a query otherwise. */
  kind?: TextKind;
  signal?: AbortSignal;
  onProgress?: (progress: RerankProgress) => void;
}

export interface EmbedResponse extends Embedding {
  usage: RerankUsage;
  timing: RerankTiming;
  device: DeviceKind;
}
