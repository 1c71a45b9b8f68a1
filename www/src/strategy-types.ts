// The public vocabulary of strategies: how to ask a judge or a language model for a ranking, and what came of it.
// Types only. The strategies themselves are in Rust (src/strategy); `strategies()` lists them.
import type { Llm } from "./llm.js";

/** Documents to be judged together, for one query. */
export interface JudgeGroup {
  query: string;
  documents: string[];
}

/** One number a document for each group, in the order given; higher is better. `signal` is aborted when they are no longer wanted. */
export type JudgeFunction = (groups: JudgeGroup[], options: { signal: AbortSignal }) => Promise<number[][]>;

/** A judge of single documents, or one that takes groups of up to `maxGroup`: 2 for pairs, more for lists. */
export type Judge = JudgeFunction | { judge: JudgeFunction; maxGroup: number };

export type TextKind = "query" | "document";

export interface Embedding {
  /**
   * In the order of the texts, row after row: the vector of each, of unit length; those of its tokens, from a model for late interaction;
   * from a sparse encoder the weights of its word pieces, above 0.
   */
  vectors: Float32Array;
  /** Numbers in a vector; word pieces there are, for a sparse encoder. */
  dimensions: number;
  /** How many tokens, or weights, each text has. Absent where each text has one vector. */
  lengths?: Uint32Array;
  /** The word piece of each weight, ascending in each text: of a sparse encoder only. */
  ids?: Uint32Array;
}

/** What an Embedder is to those that use one. */
export interface EmbedderLike {
  embed(texts: readonly string[], options: { signal?: AbortSignal; kind?: TextKind }): Promise<Embedding>;
}

/** At a limit the questions stop, the rest stays in first-stage order, and a warning says so. */
export interface StrategyLimits {
  /** Groups put to the judge. */
  judgements?: number;
  /** Calls of the language model. */
  calls?: number;
  /** Tokens that it reads and writes. */
  tokens?: number;
  /** Tokens of one of its answers. */
  answerTokens?: number;
  /** Its calls under way at once; 1 unless said otherwise. */
  parallel?: number;
}

/** How to ask. All but `firstStage` and `fuse` need a `strategy`. */
export interface StrategyOptions {
  /** A name of `strategies()`, with options after a colon: `prp-heapsort:k=3`. Default: this model scores each document once. */
  strategy?: string;
  /** Default: this reranker, unless there is an `llm` and the strategy needs a judge only. */
  judge?: Judge;
  llm?: Llm;
  /** For strategies on vectors. */
  embedder?: EmbedderLike;
  /** The first stage's score of each document. Without it the documents are taken to be in first-stage order. */
  firstStage?: readonly number[];
  /** The page image of each document, a PNG, JPEG or WebP file, for strategies that show pages to a model that sees. */
  pages?: readonly (Blob | Uint8Array)[];
  /** Scores of anchor queries: for each query a score of each document. */
  anchors?: readonly (readonly number[])[];
  limits?: StrategyLimits;
  /** Leave out candidates whose first-stage score is below (1 - alpha) of the k-th. */
  prune?: { k: number; alpha: number };
  /** Characters of each document that a prompt shows. Default: all of it. */
  excerpt?: number;
  /**
   * Mix the result with the first stage, which is needed then: `rrf`, `rrf:K`, `z:ALPHA`, `minmax:ALPHA` (ALPHA is the first stage's
   * share) or `logrank`.
   */
  fuse?: string;
}

export type StrategyWarning = { message: string } & (
  | { code: "budget"; limit: "judgements" | "calls" | "tokens"; unjudged: number }
  | { code: "unusable"; answers: number; problem: string }
  | { code: "repaired"; answers: number }
  | { code: "missing"; documents: number }
);

/** What a strategy asked, and what it found on the way. */
export interface StrategyReport {
  name: string;
  /** Groups put to the judge, or questions to the language model in its place. */
  judgements: number;
  /** Passes of the embedder. */
  passes: number;
  /** Calls of the language model, repairs included. */
  calls: number;
  inputTokens: number;
  outputTokens: number;
  /** Documents that anyone was asked about. */
  judged: number;
  warnings: StrategyWarning[];
  /** Pairs asked about in both orders, and those whose two answers contradict each other. */
  pairs: number;
  conflicts: number;
  conflictRate: number | null;
  validAnswers: number;
  repairedAnswers: number;
  unusableAnswers: number;
  /** Documents spared by pruning or early exit. */
  saved: number;
  /** The rewritten query, or its facets. */
  queries: string[];
}

export type StrategyFamily = "pointwise" | "pairwise" | "setwise" | "listwise" | "groupwise" | "internals" | "vectors" | "transform";
export type StrategyNeed =
  | "pointwise" | "pairwise" | "listwise" | "llm" | "embedder" | "letters" | "attention" | "vectors" | "anchors" | "first_stage" | "pages";

/** A strategy, for menus and documents. */
export interface StrategyDescription {
  name: string;
  family: StrategyFamily;
  summary: string;
  /** What it costs for n documents. */
  cost: string;
  /** `letters` and `attention` are models that no JavaScript can offer yet. */
  needs: StrategyNeed[];
  /** As in `prp-heapsort:k=3`. */
  options: string[];
  paper: string;
}
