// foliorank: rerank document pages in the browser. The entry for pages: computes in a worker, so the page stays responsive.
// Hosts without Worker (edge, Node) use `foliorank/main-thread`.
import { connectHere, connectWorker } from "./connect.js";
import { BaseReranker, loadPool } from "./reranker.js";
import type { LoadOptions } from "./types.js";

export { ERROR_CODES, RerankError, type ErrorCode } from "./errors.js";
export type * from "./types.js";

export class Reranker extends BaseReranker {
  /**
   * Downloads the model and the WASM variant it needs, picks a device, runs the model's self-test.
   * Rejects with a RerankError: `no_webgpu`, `download`, `checksum`, `manifest`, `self_test`, `aborted`, ...
   */
  static async load(options: LoadOptions): Promise<Reranker> {
    const here = (options as LoadOptions | undefined)?.worker === false || typeof Worker === "undefined";
    return new Reranker(await loadPool(here ? connectHere() : connectWorker, options, !here));
  }
}
