// Joins the answers for a call's pieces into the one that a single worker would have given: same numbers, same order, same passages.
// Scores are raw here; relevance() is the only place where they become 0..1.
import type { Piece } from "./pieces.js";
import type { RerankerInfo } from "./types.js";
import { join as joinVectors, split, type TextVector } from "./vectors.js";
import type { NativeCosts, NativeRanking, NativeVectors } from "./wasm.js";

/** What one worker answered for one piece. */
export interface Part<R> {
  piece: Piece;
  result: R;
  /** Stands for the worker, whoever it is. */
  worker: object;
}

/** The bits of a float as an integer of the same order, -0 below 0: IEEE 754's total order, as the engine's own sort has it. */
const orderOf = (bits: number): number => bits ^ ((bits >> 31) & 0x7fff_ffff);

/** `usage` is the sum over the pieces, `timing` that of the worker that computed longest. */
function costs(parts: readonly Part<NativeCosts>[]): NativeCosts {
  const usage = { tokens: 0, batches: 0, paddedTokens: 0, passages: 0 };
  const times = new Map<object, NativeCosts["timing"]>();
  for (const { result, worker } of parts) {
    for (const key of ["tokens", "batches", "paddedTokens", "passages"] as const) usage[key] += result.usage[key];
    const spent = times.get(worker) ?? { tokenizeMs: 0, scoreMs: 0 };
    times.set(worker, { tokenizeMs: spent.tokenizeMs + result.timing.tokenizeMs, scoreMs: spent.scoreMs + result.timing.scoreMs });
  }
  const timing = [...times.values()].reduce(
    (longest, spent) => (spent.tokenizeMs + spent.scoreMs > longest.tokenizeMs + longest.scoreMs ? spent : longest),
    { tokenizeMs: 0, scoreMs: 0 },
  );
  return { usage, timing };
}

/** Best first, ties in input order. Of a document that several workers shared, what its best window says. */
function rankings(parts: readonly Part<NativeRanking>[], topN: number | undefined): NativeRanking {
  const count = parts.reduce((total, { result }) => total + result.order.length, 0);
  const scores = new Float32Array(count);
  const indices = new Uint32Array(count);
  const spans = new Uint32Array(2 * count);
  let place = 0;
  for (const { piece, result } of parts) {
    spans.set(result.passages, 2 * place);
    scores.set(result.scores, place);
    for (const index of result.order) indices[place++] = piece.indices[index] as number;
  }
  const bits = new Int32Array(scores.buffer);
  const key = (at: number): number => orderOf(bits[at] as number);
  const seen = new Set<number>();
  const isFirst = (at: number): boolean => {
    const index = indices[at] as number;
    const first = !seen.has(index);
    seen.add(index);
    return first;
  };
  const order = Array.from(scores.keys())
    // Of two windows of a document that say the same, the earlier one.
    .sort((a, b) => key(b) - key(a) || (indices[a] as number) - (indices[b] as number) || (spans[2 * a] as number) - (spans[2 * b] as number))
    .filter(isFirst)
    .slice(0, topN);
  return {
    order: Uint32Array.from(order, (at) => indices[at] as number),
    scores: Float32Array.from(order, (at) => scores[at] as number),
    passages: Uint32Array.from(order.flatMap((at) => [spans[2 * at] as number, spans[2 * at + 1] as number])),
    ...costs(parts),
  };
}

/** In input order. */
function vectors(parts: readonly Part<NativeVectors>[]): NativeVectors {
  const texts: TextVector[] = [];
  for (const { piece: { indices }, result } of parts) {
    for (const [place, vector] of split(result, indices.length).entries()) texts[indices[place] as number] = vector;
  }
  return { ...joinVectors(texts), ...costs(parts) };
}

export const join = { rankings, vectors };

/** A raw score as 0..1, in single precision as the engine computes it. Monotone, so it never changes an order. */
export function relevance(raw: number, score: RerankerInfo["score"]): number {
  if (score === "cosine") return Math.min(1, Math.max(0, raw));
  return Math.fround(1 / Math.fround(1 + Math.fround(Math.exp(-raw))));
}
