// One call over any number of workers: each takes the next piece when it is idle, and one that comes late joins in.
// A piece whose worker dies is answered once more, by whoever is free first; what others have answered stays.
import type { Answer, Client, ClientProgress } from "./client.js";
import { EngineLost, type RerankError } from "./errors.js";
import type { JobResult, Work } from "./job.js";
import type { Part } from "./merge.js";
import { Pieces, type Piece } from "./pieces.js";
import { Tally } from "./tally.js";
import type { DeviceKind, RerankProgress } from "./types.js";

export interface CallRequest<R extends JobResult = JobResult> {
  work: Work<R>;
  onProgress: ((progress: RerankProgress) => void) | undefined;
  /** When the caller asked, as performance.now(). */
  asked: number;
}

export interface CallHooks {
  /** A worker died and could not be started again. */
  gone(client: Client, error: RerankError): void;
}

export class Call<R extends JobResult = JobResult> {
  /** Rejects with a RerankError. */
  readonly answer: Promise<Answer<R>>;
  readonly #request: CallRequest<R>;
  readonly #hooks: CallHooks;
  readonly #pieces: Pieces;
  readonly #tally: Tally;
  readonly #parts: Part<R>[] = [];
  readonly #stop = new AbortController();
  readonly #working = new Set<Client>();
  readonly #idle = new Set<Client>();
  #lost: RerankError | undefined;
  #missing: number;
  #startedAt = Infinity;
  #resolve!: (answer: Answer<R>) => void;
  #reject!: (error: RerankError) => void;

  /** `workers`: how many will join, now or soon. */
  constructor(request: CallRequest<R>, workers: number, hooks: CallHooks) {
    this.#request = request;
    this.#hooks = hooks;
    const { query, texts, cutting } = request.work;
    this.#pieces = new Pieces(query, texts, cutting, workers);
    this.#tally = new Tally(this.#pieces.cost);
    this.#missing = this.#pieces.count;
    this.answer = new Promise<Answer<R>>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** The worker takes pieces until none is left. */
  join(client: Client): void {
    if (!this.#stop.signal.aborted) void this.#work(client);
  }

  /** Ends the call in every worker. */
  stop(error: RerankError): void {
    this.#reject(error);
    this.#stop.abort(error);
  }

  async #work(client: Client): Promise<void> {
    this.#working.add(client);
    let lives = true;
    while (lives && !this.#stop.signal.aborted) {
      const piece = this.#pieces.take();
      if (!piece) break;
      lives = await this.#answerPiece(client, piece);
    }
    this.#working.delete(client);
    if (lives) this.#idle.add(client);
    // The last one alive is gone and left a piece behind.
    if (this.#working.size === 0 && this.#missing > 0 && this.#lost) this.stop(this.#lost);
  }

  /** False when the worker is of no more use. */
  async #answerPiece(client: Client, piece: Piece): Promise<boolean> {
    const sent = performance.now();
    try {
      const job = this.#request.work.job(piece.documents, this.#pieces.isCut ? "some" : "all", piece.share);
      const { result, queuedMs, device } = await client.run(job, this.#stop.signal, (progress) => this.#progress(piece, progress));
      this.#startedAt = Math.min(this.#startedAt, sent + queuedMs);
      this.#parts.push({ piece, result: result as R, worker: client });
      this.#missing -= piece.documents.length;
      if (this.#missing === 0) this.#finish(device);
      return true;
    } catch (error) {
      // An uncut call that kills its worker is not tried again: it would most likely do so again.
      if (!(error instanceof EngineLost) || !this.#pieces.isCut || piece.deaths > 0) {
        this.stop(error as RerankError);
        return true;
      }
      piece.deaths += 1;
      return this.#mend(client, piece, error);
    }
  }

  async #mend(client: Client, piece: Piece, lost: EngineLost): Promise<boolean> {
    this.#progress(piece, { type: "restart", reason: lost.message });
    this.#pieces.giveBack(piece);
    const [free] = this.#idle;
    if (free) {
      this.#idle.delete(free);
      this.join(free);
    }
    try {
      await client.revive();
      return true;
    } catch (error) {
      this.#lost = error as RerankError;
      this.#hooks.gone(client, this.#lost);
      return false;
    }
  }

  #progress(piece: Piece, progress: ClientProgress): void {
    const { onProgress } = this.#request;
    if (this.#stop.signal.aborted) return;
    if (progress.type === "batch") {
      onProgress?.({ ...this.#tally.update(piece, progress), type: "batch", threads: this.#working.size });
      return;
    }
    this.#tally.forget(piece);
    onProgress?.(progress);
  }

  #finish(device: DeviceKind): void {
    const { work, asked } = this.#request;
    const [only] = this.#parts;
    const result = only && !this.#pieces.isCut ? only.result : work.join(this.#parts);
    this.#resolve({ result, device, queuedMs: Math.max(0, this.#startedAt - asked) });
  }
}
