// The second stage: candidates of the first one, ranked by a model with a strategy and, if wanted, mixed with the first stage's scores.
import { strategies, type Llm, type RerankerInfo, type StrategyDescription, type StrategyReport } from "foliorank";
import { windows, type Doing, type Model } from "../model.js";
import { strings } from "../strings.js";
import type { Passage } from "./passages.js";
import type { Found } from "./search.js";

export interface Way {
  /** A model of the catalogue. */
  model: string;
  /** Empty: each passage is scored once. */
  strategy: string;
  /** Empty: not mixed. */
  fuse: string;
}

export interface Second {
  /** Best first. `from` is the first stage's rank. */
  results: readonly { passage: Passage; score: number; from: number }[];
  /** Whether scores are the model's own, of 0..1. */
  plain: boolean;
  info: RerankerInfo;
  ms: number;
  report?: StrategyReport;
}

/** The strategies that can run with what there is. */
export async function usable(llm: Llm | undefined): Promise<StrategyDescription[]> {
  const has = new Set<string>(["pointwise", "first_stage", "vectors", "embedder", ...(llm ? ["llm", "pairwise", "listwise"] : [])]);
  return (await strategies()).filter(({ name, needs }) => name !== "pointwise" && needs.every((need) => has.has(need)));
}

export async function second(
  query: string, found: readonly Found[], { model, strategy, fuse }: Way, doing: Doing & { models: Model; llm?: Llm | undefined },
): Promise<Second> {
  const { models, llm, signal, onProgress } = doing;
  const reranker = await models.start({ signal, onProgress }, model);
  const needs = strategy === "" ? [] : (await strategies()).find(({ name }) => name === strategy)?.needs ?? [];
  const embedder = needs.includes("vectors") || needs.includes("embedder") ? await models.startEmbedder({ signal, onProgress }) : undefined;
  const begun = performance.now();
  const { results, strategy: report } = await reranker.rerank(query, found.map(({ document }) => document), {
    ...windows(), signal, onProgress, firstStage: found.map(({ score }) => score),
    ...(strategy === "" ? {} : { strategy, ...(llm ? { llm } : {}), ...(embedder ? { embedder } : {}) }), ...(fuse === "" ? {} : { fuse }),
  });
  models.changed();
  return {
    results: results.map(({ index, relevanceScore }) => ({ passage: (found[index] as Found).document, score: relevanceScore, from: index + 1 })),
    plain: strategy === "" && fuse === "", info: reranker.info, ms: performance.now() - begun, ...(report ? { report } : {}),
  };
}

/** Names for people; the ones that strategies() gives are names for programs. */
export const strategyLabel = ({ name, family }: StrategyDescription): string => strings.strategyName(name, family);
