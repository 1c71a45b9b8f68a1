// The class callers hold: checks arguments, hands texts to the pool, and joins the numbers that come back with the caller's documents.
// Documents stay here; only their text travels.
import type { Connect } from "./connect.js";
import type { SuppliedFiles } from "./engine.js";
import { aborted, RerankError } from "./errors.js";
import { rerankWork } from "./job.js";
import type { LogicClient } from "./logic/client.js";
import { relevance } from "./merge.js";
import { PoolJudge } from "./own-judge.js";
import { pageUrl, wasmPlaces } from "./place.js";
import { Pool } from "./pool.js";
import { runStrategy, type RunOptions } from "./strategies.js";
import type { StrategyReport } from "./strategy-types.js";
import type {
  DeviceKind, LoadOptions, RerankDocument, RerankerInfo, RerankOptions, RerankResponse, RerankResult, RerankTiming, RerankUsage,
} from "./types.js";
import { checkLoadOptions, checkRerank } from "./validate.js";
import type { NativeOptions, SuppliedWasm } from "./wasm.js";
import { manifestUrl } from "./weights.js";

/** What the main-thread entry can be given on top of LoadOptions. */
export interface Supplied {
  wasm?: SuppliedWasm;
  files?: SuppliedFiles;
}

/** Loads through the given connection; the public entries choose which. `exclusive`: it leads to a realm of its own each time. */
export async function loadPool(connect: Connect, options: Partial<LoadOptions> & Supplied, exclusive: boolean): Promise<Pool> {
  checkLoadOptions(options, !options.files);
  return Pool.load(connect, {
    model: options.model === undefined ? "" : manifestUrl(options.model, pageUrl()),
    device: options.device ?? "auto",
    cache: options.cache ?? "default",
    exclusive,
    // A supplied module needs no files, and its host may have no URL to start from.
    wasm: options.wasm ?? wasmPlaces(options.wasmUrl),
    ...(options.files ? { files: options.files } : {}),
  }, { threads: exclusive ? options.threads ?? "auto" : 1, signal: options.signal, onProgress: guarded(options.onProgress) });
}

/** What a listener throws is the page's business: it is reported there, and the work goes on. */
export function guarded<E>(listener: ((event: E) => void) | undefined): ((event: E) => void) | undefined {
  return listener && ((event) => {
    try {
      listener(event);
    } catch (error) {
      queueMicrotask(() => { throw error; });
    }
  });
}

/** Raw scores always: they are comparable across workers also where 0..1 would round two of them to the same number. */
function nativeOptions({ topN, fuse, maxTokensPerDocument, window, overlap }: RerankOptions): NativeOptions {
  return {
    rawScores: true,
    // What is fused is the whole ranking.
    ...(topN === undefined || fuse !== undefined ? {} : { topN }),
    ...(maxTokensPerDocument === undefined ? {} : { maxTokensPerDocument }),
    ...(window === undefined ? {} : { window }),
    ...(overlap === undefined ? {} : { overlap }),
  };
}

/** A ranking from wherever it came, and what it cost. */
interface Outcome {
  order: Uint32Array;
  scores: Float32Array;
  /** As relevanceScore. */
  toScore: (raw: number) => number;
  /** Of the result at this place. */
  passage: (place: number) => readonly [start: number, end: number] | undefined;
  usage: RerankUsage;
  timing: Omit<RerankTiming, "totalMs">;
  device: DeviceKind;
  strategy?: StrategyReport;
}

const itself = (score: number): number => score;

export class BaseReranker {
  readonly #pool: Pool;
  readonly #logic: (() => LogicClient) | undefined;

  /** `logic`: what runs strategies. */
  protected constructor(pool: Pool, logic?: () => LogicClient) {
    this.#pool = pool;
    this.#logic = logic;
  }

  /** The model, the device and why it was chosen, warnings. A new object each time, true at that moment. */
  get info(): RerankerInfo {
    return this.#pool.info;
  }

  /**
   * Scores every document against the query and returns them best first; with a `strategy`, as that goes about it.
   * Rejects with a RerankError: `invalid_argument`, `aborted`, `internal`, ...
   */
  async rerank<D extends RerankDocument>(query: string, documents: readonly D[], options: RerankOptions = {}): Promise<RerankResponse<D>> {
    const begun = performance.now();
    const texts = checkRerank(query, documents, options);
    // The caller may change its array while we wait.
    const own = options.returnDocuments ? [...documents] : documents;
    const { strategy, fuse } = options;
    const found = strategy === undefined ? await this.#rank(query, texts, options) : await this.#ask(query, texts, { ...options, strategy });
    const outcome = fuse === undefined ? found : await this.#fuse(found, { ...options, fuse });
    if (options.signal?.aborted) throw aborted("the request", options.signal);
    const { order, scores, toScore, usage, timing, device } = outcome;
    const results = Array.from(order, (index, place) => {
      const passage = outcome.passage(place);
      const result: RerankResult<D> = { index, relevanceScore: toScore(scores[place] as number), rank: place + 1 };
      if (passage) {
        const [start, end] = passage;
        result.passage = { start, end, ...(options.returnDocuments ? { text: (texts[index] ?? "").slice(start, end) } : {}) };
      }
      if (options.returnDocuments) result.document = own[index] as D;
      return result;
    });
    return {
      results, usage, timing: { ...timing, totalMs: performance.now() - begun }, device,
      ...(outcome.strategy ? { strategy: outcome.strategy } : {}),
    };
  }

  /** Ends every worker. Pending calls reject with `aborted`, later ones with `invalid_argument`. */
  dispose(): void {
    this.#pool.dispose();
  }

  #toScore({ rawScores }: RerankOptions): (raw: number) => number {
    const { score } = this.info;
    return rawScores ? itself : (raw) => relevance(raw, score);
  }

  /** Every document once. */
  async #rank(query: string, texts: string[], options: RerankOptions): Promise<Outcome> {
    const { result, queuedMs, device } = await this.#pool.run(rerankWork(query, texts, nativeOptions(options)), options.signal, guarded(options.onProgress));
    const { order, scores, passages, usage, timing } = result;
    return {
      order, scores, usage, timing: { queuedMs, ...timing }, device, toScore: this.#toScore(options),
      passage: (place) => [passages[2 * place] ?? 0, passages[2 * place + 1] ?? 0],
    };
  }

  /** As a strategy asks. */
  async #ask(query: string, texts: string[], options: RerankOptions & { strategy: string }): Promise<Outcome> {
    const { topN: _, ...rest } = nativeOptions(options);
    const judge = new PoolJudge(this.#pool, query, rest);
    const run: RunOptions = { ...options, onProgress: guarded(options.onProgress), topN: options.fuse === undefined ? options.topN : undefined };
    const { order, scores, report } = await runStrategy(this.#logicClient(), query, texts, run, (groups, signal) => judge.judge(groups, signal));
    // One judgement a document by this model: its numbers mean what they always mean.
    const isPlain = report.name === "pointwise" && options.judge === undefined && report.calls === 0;
    return {
      order, scores, usage: judge.usage, timing: judge.timing, device: judge.device, strategy: report,
      toScore: isPlain ? this.#toScore(options) : itself,
      passage: (place) => judge.passage(texts[order[place] as number] as string),
    };
  }

  /** Mixes a ranking of all documents with the first stage. */
  async #fuse(found: Outcome, { fuse, firstStage, topN, signal }: RerankOptions & { fuse: string }): Promise<Outcome> {
    const places = new Map(Array.from(found.order, (index, place) => [index, place]));
    const { order, scores } = await this.#logicClient().call("fuse", {
      fusion: fuse, firstStage: Float32Array.from(firstStage ?? []), order: found.order, scores: found.scores,
    }, { signal });
    return {
      ...found, order: order.slice(0, topN), scores: scores.slice(0, topN), toScore: itself,
      passage: (place) => {
        const before = places.get(order[place] as number);
        return before === undefined ? undefined : found.passage(before);
      },
    };
  }

  #logicClient(): LogicClient {
    if (!this.#logic) throw new RerankError("internal", "this reranker was made without what runs strategies");
    return this.#logic();
  }
}
