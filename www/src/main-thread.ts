// The same API on the calling thread, for hosts without Worker (edge, Node, Deno). WASM and model bytes can be handed in,
// because such hosts often cannot compile WASM at run time or have the files at hand.
import { connectHere } from "./connect.js";
import { BaseEmbedder, forVectors } from "./embedder.js";
import { BaseReranker, loadPool, type Supplied } from "./reranker.js";
import type { SuppliedLogic } from "./logic/glue.js";
import { logicOf } from "./strategies.js";
import type { LoadOptions } from "./types.js";

export { ERROR_CODES, RerankError, type ErrorCode } from "./errors.js";
export type * from "./llm.js";
export type * from "./strategy-types.js";
export type * from "./types.js";
export type { ImagesGlue, LogicGlue, SuppliedImages, SuppliedLogic } from "./logic/glue.js";
export { strategies, type LogicOptions } from "./strategies.js";
export type { Glue, SuppliedWasm } from "./wasm.js";
export type { SuppliedFiles } from "./engine.js";

/** LoadOptions, and what the host has at hand. `model` is needed only without `files`, `logic` only for strategies and fusion. */
export type MainThreadOptions = Omit<LoadOptions, "worker" | "threads" | "model"> & Supplied & { model?: string | URL; logic?: SuppliedLogic };

export class Reranker extends BaseReranker {
  /** As in the main entry. With `files` nothing of the model is fetched. */
  static async load(options: MainThreadOptions): Promise<Reranker> {
    const { wasmUrl, logic } = options;
    const place = { ...(wasmUrl === undefined ? {} : { wasmUrl }), ...(logic ? { logic } : {}) };
    return new Reranker(await loadPool(connectHere(), options, false), () => logicOf({ ...place, worker: false }));
  }
}

export class Embedder extends BaseEmbedder {
  /** As in the main entry. With `files` nothing of the model is fetched. */
  static async load(options: MainThreadOptions): Promise<Embedder> {
    return new Embedder(forVectors(await loadPool(connectHere(), options, false)));
  }
}
