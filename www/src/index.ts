// foliorank: rerank document pages in the browser. The entry for pages: computes in a worker, so the page stays responsive.
// Hosts without Worker (edge, Node) use `foliorank/main-thread`.
import { connectHere, connectWorker } from "./connect.js";
import { BaseEmbedder, forVectors } from "./embedder.js";
import type { Pool } from "./pool.js";
import { BaseReranker, loadPool } from "./reranker.js";
import { logicOf } from "./strategies.js";
import type { LoadOptions } from "./types.js";

export { ERROR_CODES, RerankError, type ErrorCode } from "./errors.js";
export { memoryAnswers, storedAnswers, type AnswerCache } from "./negatives/answer-cache.js";
export { exportGroups, importGroups } from "./negatives/files.js";
export { generateNegatives, rescoreNegative } from "./negatives/generate.js";
export { Index } from "./search-index.js";
export { strategies, type LogicOptions } from "./strategies.js";
export type { ImagesGlue, LogicGlue, SuppliedImages, SuppliedLogic } from "./logic/glue.js";
export type * from "./llm.js";
export type * from "./negatives/types.js";
export type * from "./search-types.js";
export type * from "./strategy-types.js";
export type * from "./types.js";

const isHere = (options: LoadOptions | undefined): boolean => options?.worker === false || typeof Worker === "undefined";

function load(options: LoadOptions): Promise<Pool> {
  const here = isHere(options);
  return loadPool(here ? connectHere() : connectWorker, options, !here);
}

export class Reranker extends BaseReranker {
  /**
   * Downloads the model and the WASM variant it needs, picks a device, runs the model's self-test.
   * Rejects with a RerankError: `no_webgpu`, `download`, `checksum`, `manifest`, `self_test`, `aborted`, ...
   */
  static async load(options: LoadOptions): Promise<Reranker> {
    return new Reranker(await load(options), () => logicOf({ ...options, worker: !isHere(options) }));
  }
}

export class Embedder extends BaseEmbedder {
  /** As `Reranker.load`, for a bi-encoder; `invalid_argument` for another model. */
  static async load(options: LoadOptions): Promise<Embedder> {
    return new Embedder(forVectors(await load(options)));
  }
}
