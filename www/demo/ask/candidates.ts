// Several answers of a language model, ranked by the local reranker: by how well each answers the question, and by how well the passages
// that it cites answer for each of its claims. After BRIO (arXiv:2203.16804) and EDU plan-guided reranking (arXiv:2305.17779), where a scorer
// picks the best of several generated texts; their scorers are trained for it, ours is the reranker as it is.
import type { Llm } from "foliorank";
import type { Passage } from "../find/passages.js";
import type { Doing, Model } from "../model.js";
import type { Part } from "./cited.js";
import { given, written } from "./written.js";

/** Enough for answers that differ, too little for ones that ramble. */
const TEMPERATURE = 0.8;

export interface Candidate {
  parts: readonly Part[];
  /** 0..1: the answer as a passage for the question. */
  onQuestion: number;
  /** 0..1: the best cited passage for each claim, on average; a claim without a citation counts 0. */
  onSources: number;
  /** The geometric mean of both: one that fails either is worth little. */
  score: number;
}

export interface Candidates {
  /** Best first; answers of the same words are one. */
  ranked: readonly Candidate[];
  /** How many say that the passages do not hold the answer. */
  nowhere: number;
  /** How many failed. Not all: then it rejects. */
  failed: number;
}

export interface Many extends Doing {
  models: Model;
  model: string;
  count: number;
  onParts: (place: number, parts: Part[]) => void;
  onDone: (done: number) => void;
}

const plain = (parts: readonly Part[]): string => parts.map((part) => ("text" in part ? part.text : "")).join("").replace(/\s+([.,;:!?])/gu, "$1").trim();
const saysSomething = (text: string): boolean => /[\p{L}\p{N}]/u.test(text);

/** What an answer claims, with the passages that it names for each claim. */
export function claims(parts: readonly Part[]): { text: string; cites: number[] }[] {
  const found: { text: string; cites: number[] }[] = [];
  for (const part of parts) {
    const last = found.at(-1);
    if ("cites" in part) last?.cites.push(part.cites);
    else if (saysSomething(part.text)) found.push({ text: part.text.replace(/^[\s.,;:!?]+/u, "").trim(), cites: [] });
  }
  return found;
}

/** Rejects with the first failure when none succeeds, and when it is aborted. */
export async function candidates(query: string, passages: readonly Passage[], llm: Llm, many: Many): Promise<Candidates> {
  const { signal, count, onParts, onDone } = many;
  let done = 0;
  const answers = await Promise.allSettled(Array.from({ length: count }, async (_, place) => {
    const parts = await written(query, passages, llm, { signal, temperature: TEMPERATURE, onParts: (own) => onParts(place, own) });
    done += 1;
    onDone(done);
    return parts;
  }));
  signal.throwIfAborted();
  const came = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  const failure = answers.find((answer) => answer.status === "rejected");
  if (came.length === 0 && failure) throw failure.reason;
  const own = new Map(came.flatMap((parts) => (parts ? [[plain(parts), parts] as const] : [])));
  const ranked = await rank(query, [...own.values()], given(passages), many);
  return { ranked, nowhere: came.filter((parts) => !parts).length, failed: count - came.length };
}

async function rank(query: string, answers: readonly (readonly Part[])[], passages: readonly Passage[], doing: Many): Promise<Candidate[]> {
  if (answers.length === 0) return [];
  const { models, model, signal } = doing;
  const reranker = await models.start(doing, model);
  const { results } = await reranker.rerank(query, answers.map(plain), { signal });
  const onQuestion = new Map(results.map(({ index, relevanceScore }) => [index, relevanceScore]));
  const ranked: Candidate[] = [];
  for (const [place, parts] of answers.entries()) {
    const supports: number[] = [];
    for (const { text, cites } of claims(parts)) {
      const named = [...new Set(cites)].flatMap((number) => passages[number - 1] ?? []);
      const best = named.length > 0 ? (await reranker.rerank(text, named, { signal, topN: 1 })).results[0] : undefined;
      supports.push(best?.relevanceScore ?? 0);
    }
    const onSources = supports.reduce((sum, one) => sum + one, 0) / Math.max(1, supports.length);
    const own = onQuestion.get(place) ?? 0;
    ranked.push({ parts, onQuestion: own, onSources, score: Math.sqrt(own * onSources) });
  }
  return ranked.sort((one, other) => other.score - one.score);
}
