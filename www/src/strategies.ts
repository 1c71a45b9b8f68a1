// Strategies on the page's side: what there is, and a run of one with the caller's models answering what it asks.
import type { EmbedderLike, Embedding, Judge, JudgeGroup, StrategyDescription, StrategyOptions, StrategyReport, TextKind } from "./strategy-types.js";
import type { Answers, LogicClient } from "./logic/client.js";
import type { SuppliedLogic } from "./logic/glue.js";
import { sharedLogic, suppliedLogic } from "./logic/shared.js";
import { RerankError } from "./errors.js";
import { bytesOf } from "./file.js";
import type { LlmImage, LlmRequest } from "./llm.js";
import { wasmPlaces } from "./place.js";
import type { RerankProgress } from "./types.js";
import { kindOf } from "./vectors.js";

/** Where the WASM is, for calls that belong to no reranker. */
export interface LogicOptions {
  /** Folder holding `logic/`, and `images/` for pages with an image. Default: `wasm/` beside this script. */
  wasmUrl?: string | URL;
  /** Default true where there is `Worker`. */
  worker?: boolean;
  /** The WASM itself, where it cannot be loaded by URL; computes on the calling thread. */
  logic?: SuppliedLogic;
}

export const logicOf = ({ wasmUrl, worker, logic }: LogicOptions = {}): LogicClient => (logic
  ? suppliedLogic(logic)
  : sharedLogic({ wasm: wasmPlaces(wasmUrl), worker: worker !== false && typeof Worker !== "undefined" }));

/** Every strategy there is, in the order of the documentation. */
export async function strategies(options?: LogicOptions): Promise<StrategyDescription[]> {
  return await logicOf(options).call("strategy.list", undefined) as StrategyDescription[];
}

/** What answers for a judge that was not given. */
export type OwnJudge = (groups: JudgeGroup[], signal: AbortSignal) => Promise<number[][]>;

export interface Ranked {
  order: Uint32Array;
  scores: Float32Array;
}

type NativeReport = StrategyReport & { ranking: { index: number; score: number }[] };
interface NativeProgress {
  step: number;
  steps: number;
  cost: Pick<StrategyReport, "judgements" | "passes" | "calls" | "inputTokens" | "outputTokens">;
}

export interface RunOptions extends StrategyOptions {
  strategy: string;
  topN?: number | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: RerankProgress) => void) | undefined;
}

function answers(logic: LogicClient, { judge, llm, embedder, pages }: StrategyOptions, own: OwnJudge): Answers {
  const ask = typeof judge === "object" ? judge.judge : judge;
  return {
    judge: ({ groups }: { groups: JudgeGroup[] }, signal) => (ask ? ask(groups, { signal }) : own(groups, signal)),
    ...(llm ? { llm: (request: LlmRequest, signal: AbortSignal) => llm(request, { signal }) } : {}),
    ...(embedder ? { embed: (asked: EmbedAsk, signal: AbortSignal) => embedDense(embedder, asked, signal) } : {}),
    ...(pages ? { grid: (asked: GridAsk, signal: AbortSignal) => grid(logic, pages, asked, signal) } : {}),
  };
}

/** What WASM asks of an embedder. */
export interface EmbedAsk {
  texts: string[];
  kind: TextKind;
}

export const embed = async (embedder: EmbedderLike, { texts, kind }: EmbedAsk, signal: AbortSignal): Promise<Embedding> => {
  const { vectors, dimensions, lengths, ids } = await embedder.embed(texts, { kind, signal });
  return { vectors, dimensions, ...(lengths ? { lengths } : {}), ...(ids ? { ids } : {}) };
};

/** For strategies, which compare single vectors. */
async function embedDense(embedder: EmbedderLike, asked: EmbedAsk, signal: AbortSignal): Promise<Embedding> {
  const embedding = await embed(embedder, asked, signal);
  const kind = kindOf(embedding);
  if (kind !== "dense") throw new RerankError("invalid_argument", `embedder must give one vector a text, as a bi-encoder does; found ${kind} vectors`);
  return embedding;
}

/** What WASM asks of page images: those of these documents. */
interface GridAsk {
  documents: number[];
}

async function grid(logic: LogicClient, pages: readonly (Blob | Uint8Array)[], { documents }: GridAsk, signal: AbortSignal): Promise<LlmImage> {
  const files = await Promise.all(documents.map((index) => bytesOf(pages[index] as Blob | Uint8Array)));
  return await logic.call("images.grid", { files }, { signal });
}

const maxGroup = (judge: Judge | undefined): number => (typeof judge === "object" ? judge.maxGroup : 1);

/** Rejects with a RerankError. */
export async function runStrategy(
  logic: LogicClient, query: string, documents: string[], options: RunOptions, own: OwnJudge,
): Promise<Ranked & { report: StrategyReport }> {
  const { strategy, firstStage, anchors, limits, prune, excerpt, topN, judge, llm, embedder, pages, signal, onProgress } = options;
  const native = {
    strategy, limits: limits ?? {}, judge: { maxGroup: maxGroup(judge), givesWay: judge === undefined },
    llm: llm !== undefined, embedder: embedder !== undefined, pages: pages !== undefined,
    ...(firstStage ? { firstStage: Array.from(firstStage) } : {}), ...(anchors ? { anchors: anchors.map((row) => Array.from(row)) } : {}),
    ...(prune ? { prune } : {}), ...(excerpt === undefined ? {} : { excerpt }), ...(topN === undefined ? {} : { topN }),
  };
  const { ranking, ...report } = await logic.call("strategy.run", { query, documents, options: native }, {
    signal, answers: answers(logic, options, own),
    onProgress: ({ step, steps, cost }: NativeProgress) => onProgress?.({ type: "strategy", step, steps, ...cost }),
  }) as NativeReport;
  return {
    report,
    order: Uint32Array.from(ranking, ({ index }) => index),
    scores: Float32Array.from(ranking, ({ score }) => score),
  };
}
