// The training groups that the view "Hard negatives" shows: scores, margins and their order, and what the user changes by hand.
// Numbers are the model's own (logits): 0..1 would round most of them to the same.
import type { TrainingGroup } from "foliorank";
import type { Doing, Model } from "../model.js";
import { windows } from "../model.js";

export type Group = TrainingGroup;
export type Negative = TrainingGroup["negatives"][number];

/** A negative that scores at least as high as its positive. */
export const fools = ({ margin }: Negative): boolean => margin !== null && margin !== undefined && margin <= 0;

export const countFooled = (groups: readonly Group[]): number => groups.flatMap(({ negatives }) => negatives).filter(fools).length;

/** Those that fool the model first, then the hardest. */
export function sortNegatives(group: Group): void {
  const margin = ({ margin: value }: Negative): number => value ?? Infinity;
  group.negatives.sort((one, other) => margin(one) - margin(other));
}

/** The model's own number for the group's page. */
export async function scoreOf(query: string, group: Group, model: Model, doing: Doing): Promise<number> {
  const reranker = await model.start(doing);
  const { results } = await reranker.rerank(query, [group.page.text], { ...windows(), rawScores: true, signal: doing.signal });
  return results[0]?.relevanceScore ?? NaN;
}

/** Scores of everything in the group, where another model made them or nobody did. */
export async function scoreGroup(group: Group, model: Model, doing: Doing): Promise<void> {
  group.positive.score = await scoreOf(group.positive.query, group, model, doing);
  for (const negative of group.negatives) setScore(group, negative, await scoreOf(negative.query, group, model, doing));
  sortNegatives(group);
}

export function setScore({ positive }: Group, negative: Negative, score: number): void {
  negative.score = score;
  negative.margin = (positive.score ?? NaN) - score;
}

/** A negative in the user's words is nobody's edit any more. */
export function byHand(query: string): Negative {
  return { query, property: null, from: null, to: null, votes: null, score: null, margin: null };
}

export function rewrite(negative: Negative, query: string): void {
  Object.assign(negative, byHand(query));
}
