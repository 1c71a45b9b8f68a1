// The class callers hold: checks arguments, hands texts to the pool, and joins the numbers that come back with the caller's documents.
// Documents stay here; only their text travels.
import type { Answer } from "./client.js";
import type { Connect } from "./connect.js";
import type { SuppliedFiles } from "./engine.js";
import { aborted } from "./errors.js";
import { relevance } from "./merge.js";
import { Pool } from "./pool.js";
import type { LoadOptions, RerankDocument, RerankerInfo, RerankOptions, RerankResponse, RerankResult } from "./types.js";
import { checkLoadOptions, checkRerank } from "./validate.js";
import type { NativeOptions, SuppliedWasm } from "./wasm.js";
import { manifestUrl } from "./weights.js";

/** What the main-thread entry can be given on top of LoadOptions. */
export interface Supplied {
  wasm?: SuppliedWasm;
  files?: SuppliedFiles;
}

const pageUrl = (): string | undefined =>
  typeof document === "undefined" ? (globalThis as { location?: { href: string } }).location?.href : document.baseURI;

const folderUrl = (value: string | URL | undefined): string => {
  const url = new URL(value ?? "./wasm/", value === undefined ? import.meta.url : pageUrl());
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url.href;
};

/** Loads through the given connection; the public entries choose which. `exclusive`: it leads to a realm of its own each time. */
export async function loadPool(connect: Connect, options: Partial<LoadOptions> & Supplied, exclusive: boolean): Promise<Pool> {
  checkLoadOptions(options, !options.files);
  return Pool.load(connect, {
    model: options.model === undefined ? "" : manifestUrl(options.model, pageUrl()),
    device: options.device ?? "auto",
    cache: options.cache ?? "default",
    // A supplied module needs no folder, and its host may have no URL to start from.
    wasmUrl: options.wasm ? "" : folderUrl(options.wasmUrl),
    exclusive,
    ...(options.wasm ? { wasm: options.wasm } : {}),
    ...(options.files ? { files: options.files } : {}),
  }, { threads: exclusive ? options.threads ?? "auto" : 1, signal: options.signal, onProgress: guarded(options.onProgress) });
}

/** What a listener throws is the page's business: it is reported there, and the work goes on. */
function guarded<E>(listener: ((event: E) => void) | undefined): ((event: E) => void) | undefined {
  return listener && ((event) => {
    try {
      listener(event);
    } catch (error) {
      queueMicrotask(() => { throw error; });
    }
  });
}

/** Raw scores always: they are comparable across workers also where 0..1 would round two of them to the same number. */
function nativeOptions({ topN, maxTokensPerDocument, window, overlap }: RerankOptions): NativeOptions {
  return {
    rawScores: true,
    ...(topN === undefined ? {} : { topN }),
    ...(maxTokensPerDocument === undefined ? {} : { maxTokensPerDocument }),
    ...(window === undefined ? {} : { window }),
    ...(overlap === undefined ? {} : { overlap }),
  };
}

function toResults<D extends RerankDocument>(
  { ranking }: Answer, documents: readonly D[], texts: string[], { toScore, withDocuments }: { toScore: (raw: number) => number; withDocuments: boolean },
): RerankResult<D>[] {
  const { order, scores, passages } = ranking;
  return Array.from(order, (index, place) => {
    const [start, end] = [passages[2 * place] ?? 0, passages[2 * place + 1] ?? 0];
    const result: RerankResult<D> = { index, relevanceScore: toScore(scores[place] as number), rank: place + 1, passage: { start, end } };
    if (withDocuments) {
      result.document = documents[index] as D;
      result.passage = { start, end, text: (texts[index] ?? "").slice(start, end) };
    }
    return result;
  });
}

export class BaseReranker {
  readonly #pool: Pool;

  protected constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** The model, the device and why it was chosen, warnings. A new object each time, true at that moment. */
  get info(): RerankerInfo {
    return this.#pool.info;
  }

  /**
   * Scores every document against the query and returns them best first.
   * Rejects with a RerankError: `invalid_argument`, `aborted`, `internal`, ...
   */
  async rerank<D extends RerankDocument>(query: string, documents: readonly D[], options: RerankOptions = {}): Promise<RerankResponse<D>> {
    const begun = performance.now();
    const texts = checkRerank(query, documents, options);
    // The caller may change its array while we wait.
    const own = options.returnDocuments ? [...documents] : documents;
    const answer = await this.#pool.rerank(query, texts, nativeOptions(options), options.signal, guarded(options.onProgress));
    if (options.signal?.aborted) throw aborted("the request", options.signal);
    const { score } = this.info;
    const results = toResults(answer, own, texts, {
      toScore: options.rawScores ? (raw) => raw : (raw) => relevance(raw, score), withDocuments: options.returnDocuments ?? false,
    });
    const { usage, timing } = answer.ranking;
    return { results, usage, timing: { queuedMs: answer.queuedMs, ...timing, totalMs: performance.now() - begun }, device: answer.device };
  }

  /** Ends every worker. Pending calls reject with `aborted`, later ones with `invalid_argument`. */
  dispose(): void {
    this.#pool.dispose();
  }
}
