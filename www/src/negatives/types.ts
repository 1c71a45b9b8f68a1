// Hard negatives as the package speaks of them. A group is what a line of the JSONL export holds, names and all, but for spans, which
// count UTF-16 code units here and bytes there.
import type { Llm } from "../llm.js";
import type { RerankError } from "../errors.js";
import type { AnswerCache } from "./answer-cache.js";
import type { LogicOptions } from "../strategies.js";

export interface NegativesPage {
  /** May be absent where there is an image. A page without text has no scores and no margins, for the judge reads text. */
  text?: string;
  /**
   * A PNG, JPEG or WebP file, for an `llm` (and `verifier`) that sees: at most 32 MiB and 50 megapixels. It is turned as its metadata
   * say, scaled and encoded anew before it goes anywhere, without its metadata. Rules do not read it.
   */
  image?: Blob | Uint8Array;
  /** Its name in the groups: a file, a URL, a page number. */
  title?: string;
  /** Other pages: a positive stays only when its own page is found before them. */
  others?: readonly string[];
}

/** What changes in an edit. */
export type Property = "year" | "entity" | "number" | "metric" | "subject" | "segment" | `custom:${string}`;

/** The two prompts' verdicts: whether the page answers the query. */
export interface Votes {
  a: boolean;
  b: boolean;
}

export interface Negative {
  query: string;
  /** The one property changed; null: a free variant. */
  property: Property | null;
  from: string | null;
  to: string | null;
  /** Null: made by rules. */
  votes: Votes | null;
  score: number | null;
  /** Score of the positive less this score; 0 or less fools the judge. */
  margin: number | null;
}

export interface Positive {
  query: string;
  answer: string | null;
  /** Where the answer stands in the page's text. */
  span: { start: number; end: number } | null;
  votes: Votes | null;
  score: number | null;
}

export interface TrainingGroup {
  /** `image`: the name of the page's image; the image itself is not kept. */
  page: { id: string; text: string; image?: string };
  positive: Positive;
  /** The positive in other words. */
  restated: { way: "rephrase" | "rewrite"; query: string; votes: Votes }[];
  /** Those that fool the judge first. */
  negatives: Negative[];
  source: { provider: string; model: string; verifier: string; prompts_version: string; time: string };
}

/** Candidates of one kind: `generated` = `kept` + all `deaths` once a run is over. */
export interface Tally {
  generated: number;
  kept: number;
  /** By cause: `prompt_a`, `control` (a prompt denied the positive beside it), `duplicate`, `on_page`, ... */
  deaths: Record<string, number>;
}

export interface Funnel {
  positives: Tally;
  negatives: Tally;
  restated: Tally;
}

export interface LlmUsage {
  /** Answers from a model, paid for. */
  calls: number;
  /** Answers from the cache. */
  cached: number;
  repairs: number;
  inputTokens: number;
  outputTokens: number;
  /** By the prices in the limits. */
  cost: number;
}

/** All have defaults, those of DocReRank where the paper gives one; src/negatives/settings.rs has the ranges. */
export interface NegativesSettings {
  candidates?: number;
  positives?: number;
  consistentWithin?: number;
  variants?: number;
  properties?: Property[];
  edits?: number;
  negatives?: number;
  nearDuplicate?: number;
  rephrase?: number;
  rewrite?: number;
  verifyAtOnce?: number;
  temperature?: number;
  queryWords?: number;
  pageBytes?: number;
  seed?: number;
}

/** A hard stop, before the call that would go over. */
export interface NegativesLimits {
  calls?: number;
  tokens?: number;
  /** In the currency of the prices. */
  cost?: number;
  /** Of a million tokens read, and written. */
  priceIn?: number;
  priceOut?: number;
}

export type NegativesStage =
  | "positives" | "verify_positives" | "consistency" | "restate" | "negatives" | "verify_negatives" | "judge";

export interface NegativesProgress {
  /** What comes next. */
  stage: NegativesStage;
  done: number;
  total: number;
  usage: LlmUsage;
  /** So far: not all that were generated are kept or dead yet. */
  funnel: Funnel;
}

/** What scores the page for a query: a Reranker, on the CPU or WebGPU. */
export interface PageJudge {
  rerank(query: string, documents: readonly string[], options: { rawScores: true; signal?: AbortSignal }): Promise<{
    results: { index: number; relevanceScore: number }[];
  }>;
}

/** Who answers, as exports name it. What an `Llm` of foliorank/llm says of itself is the default. */
export interface ProviderInfo {
  provider?: string;
  model?: string;
}

export interface NegativesOptions extends LogicOptions {
  judge: PageJudge;
  /** Writes, and verifies where there is no `verifier`. Absent: rules, in English, with no network at all. */
  llm?: Llm;
  info?: ProviderInfo;
  /** Says what is answerable; better another model than `llm`. */
  verifier?: Llm;
  verifierInfo?: ProviderInfo;
  /** Positives that exist already: they are verified, and none is generated. */
  positives?: readonly string[];
  settings?: NegativesSettings;
  limits?: NegativesLimits;
  /** Longest side of the page's image as models see it, in pixels, 16 to 8192. Default 1568. */
  imageSide?: number;
  /** Keeps answers, so that the same question is paid for once. Default: IndexedDB; false keeps nothing. */
  cache?: AnswerCache | false;
  signal?: AbortSignal;
  onProgress?: (progress: NegativesProgress) => void;
}

export interface NegativesResult {
  groups: TrainingGroup[];
  funnel: Funnel;
  usage: LlmUsage;
  /** Share of the negatives that the judge tells from their positive; null without one. */
  discrimination: number | null;
  /** Why it ended early: `budget`, `llm`, `storage`, ... What is finished is here, and a second run repeats no paid call. */
  stopped?: RerankError;
  warnings: string[];
}

/** `groups`: our JSONL, complete; `triplets`: sentence-transformers'; `colhnque`: the columns of the published set. */
export type GroupsFormat = "groups" | "triplets" | "colhnque";
