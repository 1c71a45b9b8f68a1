// The progress of a call, added up over its pieces. How many tokens a piece has is known once its worker has cut it into tokens;
// for those nobody has begun it is estimated from their text, so that the share done never goes back and ends at exactly one.
import type { Piece } from "./pieces.js";
import type { NativeProgress } from "./wasm.js";

export class Tally {
  readonly #cost: number;
  readonly #pieces = new Map<Piece, NativeProgress>();
  #share = 0;

  /** `cost` of all pieces together. */
  constructor(cost: number) {
    this.#cost = cost;
  }

  /** Notes how far a piece is, and says how far the call is. */
  update(piece: Piece, progress: NativeProgress): NativeProgress {
    this.#pieces.set(piece, progress);
    const all = { batch: 0, batches: 0, tokens: 0, totalTokens: 0 };
    let [counted, read] = [0, 0];
    for (const [{ cost }, { batch, batches, tokens, totalTokens }] of this.#pieces) {
      read += totalTokens;
      if (batches === 0) continue;
      counted += cost;
      all.batch += batch;
      all.batches += batches;
      all.tokens += tokens;
      all.totalTokens += totalTokens;
    }
    if (counted === 0) return { ...all, totalTokens: read };
    const done = all.tokens === all.totalTokens && counted === this.#cost;
    if (done) return all;
    const scale = this.#cost / counted;
    const estimate = Math.round(all.totalTokens * scale);
    const held = this.#share > 0 ? Math.floor(all.tokens / this.#share) : Infinity;
    const totalTokens = Math.max(Math.min(estimate, held), all.tokens + 1);
    this.#share = all.tokens / totalTokens;
    return { ...all, batches: Math.max(Math.ceil(all.batches * scale), all.batch + 1), totalTokens };
  }

  /** The piece starts again: what it had counts no more. */
  forget(piece: Piece): void {
    this.#pieces.delete(piece);
    this.#share = 0;
  }
}
