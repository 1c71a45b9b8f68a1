// The class callers hold for vectors of texts: a model that reads texts alone, on the same engine, workers and pool as a reranker.
import { aborted, RerankError } from "./errors.js";
import { embedWork } from "./job.js";
import type { Pool } from "./pool.js";
import { guarded } from "./reranker.js";
import type { EmbedderLike } from "./strategy-types.js";
import type { EmbedOptions, EmbedResponse, RerankerInfo } from "./types.js";
import { checkEmbed } from "./validate.js";

/** The pool, if its model gives vectors; else it is disposed. */
export function forVectors(pool: Pool): Pool {
  const { architecture, model } = pool.info;
  if (architecture !== "bert-cross-encoder") return pool;
  pool.dispose();
  throw new RerankError("invalid_argument", `model must read texts alone, as a bi-encoder does; ${model} is a ${architecture}`);
}

export class BaseEmbedder implements EmbedderLike {
  readonly #pool: Pool;

  protected constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** The model, the device and why it was chosen, warnings. A new object each time, true at that moment. */
  get info(): RerankerInfo {
    return this.#pool.info;
  }

  /**
   * A vector of unit length for each text, in their order: the cosine of two is their product. With a model for late interaction a vector
   * for each token; with a sparse encoder a weight for each word piece. What does not fit the model is not read.
   * Rejects with a RerankError: `invalid_argument`, `aborted`, `internal`, ...
   */
  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<EmbedResponse> {
    const begun = performance.now();
    const own = checkEmbed(texts, options);
    const { kind = "document", signal, onProgress } = options;
    const { result, queuedMs, device } = await this.#pool.run(embedWork(own, kind), signal, guarded(onProgress));
    if (signal?.aborted) throw aborted("the request", signal);
    return { ...result, timing: { queuedMs, ...result.timing, totalMs: performance.now() - begun }, device };
  }

  /** Ends every worker. Pending calls reject with `aborted`, later ones with `invalid_argument`. */
  dispose(): void {
    this.#pool.dispose();
  }
}
