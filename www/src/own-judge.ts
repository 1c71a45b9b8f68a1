// A reranker as the judge of its own strategies: raw scores of single documents, those of one query in one call, and the passages that
// earned them kept for the result.
import { rerankWork } from "./job.js";
import { judgeByQuery } from "./judge-groups.js";
import type { Pool } from "./pool.js";
import type { JudgeGroup } from "./strategy-types.js";
import type { DeviceKind, RerankTiming, RerankUsage } from "./types.js";
import type { NativeOptions } from "./wasm.js";

type Span = readonly [start: number, end: number];

export class PoolJudge {
  readonly usage: RerankUsage = { tokens: 0, batches: 0, paddedTokens: 0, passages: 0 };
  readonly timing: Omit<RerankTiming, "totalMs"> = { queuedMs: 0, tokenizeMs: 0, scoreMs: 0 };
  device: DeviceKind;
  readonly #pool: Pool;
  readonly #query: string;
  readonly #options: NativeOptions;
  readonly #passages = new Map<string, Span>();

  /** `query` is the caller's: a strategy may ask others, whose passages count only where this one has none. */
  constructor(pool: Pool, query: string, options: NativeOptions) {
    this.#pool = pool;
    this.#query = query;
    this.#options = options;
    this.device = pool.info.device.kind;
  }

  /** The passage of a document that was judged. */
  passage(text: string): Span | undefined {
    return this.#passages.get(text);
  }

  judge(groups: readonly JudgeGroup[], signal: AbortSignal): Promise<number[][]> {
    return judgeByQuery(groups, (query, documents) => this.#scores(query, documents, signal));
  }

  async #scores(query: string, documents: string[], signal: AbortSignal): Promise<number[]> {
    const { result: ranking, queuedMs, device } = await this.#pool.run(rerankWork(query, documents, this.#options), signal);
    const scores = new Array<number>(documents.length);
    for (const [place, index] of ranking.order.entries()) {
      const text = documents[index] as string;
      scores[index] = ranking.scores[place] as number;
      if (query === this.#query || !this.#passages.has(text)) {
        this.#passages.set(text, [ranking.passages[2 * place] as number, ranking.passages[2 * place + 1] as number]);
      }
    }
    for (const key of ["tokens", "batches", "paddedTokens", "passages"] as const) this.usage[key] += ranking.usage[key];
    this.timing.queuedMs += queuedMs;
    this.timing.tokenizeMs += ranking.timing.tokenizeMs;
    this.timing.scoreMs += ranking.timing.scoreMs;
    this.device = device;
    return scores;
  }
}
