// foliorank: rerank document pages in the browser. The entry for pages: computes in a worker, so the page stays responsive.
// Hosts without Worker (edge, Node) use `foliorank/main-thread`.
import { connectHere, connectWorker } from "./connect.js";
import { BaseReranker, loadPool } from "./reranker.js";
import { logicOf } from "./strategies.js";
import type { LoadOptions } from "./types.js";

export { ERROR_CODES, RerankError, type ErrorCode } from "./errors.js";
export { strategies, type LogicOptions } from "./strategies.js";
export type * from "./llm.js";
export type * from "./strategy-types.js";
export type * from "./types.js";

export class Reranker extends BaseReranker {
  /**
   * Downloads the model and the WASM variant it needs, picks a device, runs the model's self-test.
   * Rejects with a RerankError: `no_webgpu`, `download`, `checksum`, `manifest`, `self_test`, `aborted`, ...
   */
  static async load(options: LoadOptions): Promise<Reranker> {
    const here = (options as LoadOptions | undefined)?.worker === false || typeof Worker === "undefined";
    const pool = await loadPool(here ? connectHere() : connectWorker, options, !here);
    return new Reranker(pool, () => logicOf({ ...options, worker: !here }));
  }
}
