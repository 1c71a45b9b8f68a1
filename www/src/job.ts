// What an engine can be asked, as data: the same mechanism (pieces, workers, restarts, progress, abort) carries every kind of job.
// A Work is a job before it is cut: its texts, and how pieces of it are asked for and joined.
import { join, type Part } from "./merge.js";
import type { Cutting } from "./pieces.js";
import type { TextKind } from "./strategy-types.js";
import type { NativeOptions, NativeRanking, NativeShare, NativeVectors } from "./wasm.js";

export type Job =
  | { type: "rerank"; query: string; documents: string[]; options: NativeOptions }
  | { type: "embed"; texts: string[]; kind: TextKind };

export type JobResult = NativeRanking | NativeVectors;

export interface Work<R extends JobResult> {
  /** Goes with every text. */
  query: string;
  texts: readonly string[];
  /** What may be cut, and how much of each text is read. */
  cutting: Cutting;
  /** The job for these of the texts. */
  job(texts: string[], part: "all" | "some", share?: NativeShare): Job;
  /** What one worker would have given for all texts. */
  join(parts: readonly Part<R>[]): R;
}

export const rerankWork = (query: string, texts: readonly string[], options: NativeOptions): Work<NativeRanking> => {
  // A piece does not know which of its ties come first in the input: topN is applied to the whole.
  const { topN, ...rest } = options;
  return {
    query, texts, cutting: { maxTokensPerDocument: options.maxTokensPerDocument, shares: true },
    job: (documents, part, share) => ({ type: "rerank", query, documents, options: part === "all" ? options : { ...rest, ...(share ? { share } : {}) } }),
    join: (parts) => join.rankings(parts, topN),
  };
};

export const embedWork = (texts: readonly string[], kind: TextKind): Work<NativeVectors> => ({
  // Of a text only what fits the model is read: one window.
  query: "", texts, cutting: {},
  job: (some) => ({ type: "embed", texts: some, kind }),
  join: (parts) => join.vectors(parts),
});

/** The memory of a result, to be handed on without a copy. */
export const buffers = (result: JobResult): ArrayBuffer[] =>
  ("vectors" in result ? [result.vectors, result.lengths ?? [], result.ids ?? []].flat() : [result.order, result.scores, result.passages])
    .map(({ buffer }) => buffer as ArrayBuffer);
