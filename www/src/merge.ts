// Joins the rankings of a call's pieces into the one that a single worker would have given: same scores, same order, same passages.
// Scores are raw here; relevance() is the only place where they become 0..1.
import type { Piece } from "./pieces.js";
import type { RerankerInfo } from "./types.js";
import type { NativeRanking } from "./wasm.js";

/** What one worker answered for one piece. */
export interface Part {
  piece: Piece;
  ranking: NativeRanking;
  /** Stands for the worker, whoever it is. */
  worker: object;
}

/** The bits of a float as an integer of the same order, -0 below 0: IEEE 754's total order, as the engine's own sort has it. */
const orderOf = (bits: number): number => bits ^ ((bits >> 31) & 0x7fff_ffff);

/** Best first, ties in input order. `usage` is the sum over the pieces, `timing` that of the worker that computed longest. */
export function merge(parts: readonly Part[], topN: number | undefined): NativeRanking {
  const count = parts.reduce((total, { ranking }) => total + ranking.order.length, 0);
  const scores = new Float32Array(count);
  const indices = new Uint32Array(count);
  const spans = new Uint32Array(2 * count);
  const usage = { tokens: 0, batches: 0, paddedTokens: 0, passages: 0 };
  const times = new Map<object, { tokenizeMs: number; scoreMs: number }>();
  let place = 0;
  for (const { piece, ranking, worker } of parts) {
    spans.set(ranking.passages, 2 * place);
    scores.set(ranking.scores, place);
    for (const index of ranking.order) indices[place++] = piece.indices[index] as number;
    for (const key of ["tokens", "batches", "paddedTokens", "passages"] as const) usage[key] += ranking.usage[key];
    const spent = times.get(worker) ?? { tokenizeMs: 0, scoreMs: 0 };
    times.set(worker, { tokenizeMs: spent.tokenizeMs + ranking.timing.tokenizeMs, scoreMs: spent.scoreMs + ranking.timing.scoreMs });
  }
  const bits = new Int32Array(scores.buffer);
  const key = (at: number): number => orderOf(bits[at] as number);
  const order = Array.from(scores.keys())
    .sort((a, b) => key(b) - key(a) || (indices[a] as number) - (indices[b] as number))
    .slice(0, topN);
  const timing = [...times.values()].reduce(
    (longest, spent) => (spent.tokenizeMs + spent.scoreMs > longest.tokenizeMs + longest.scoreMs ? spent : longest),
    { tokenizeMs: 0, scoreMs: 0 },
  );
  return {
    order: Uint32Array.from(order, (at) => indices[at] as number),
    scores: Float32Array.from(order, (at) => scores[at] as number),
    passages: Uint32Array.from(order.flatMap((at) => [spans[2 * at] as number, spans[2 * at + 1] as number])),
    usage, timing,
  };
}

/** A raw score as 0..1, in single precision as the engine computes it. Monotone, so it never changes an order. */
export function relevance(raw: number, score: RerankerInfo["score"]): number {
  if (score === "cosine") return Math.min(1, Math.max(0, raw));
  return Math.fround(1 / Math.fround(1 + Math.fround(Math.exp(-raw))));
}
