// Lets so many requests work at once and so many wait; one more is refused with the time after which to try again.

import { limit } from "../src/limit.js";
import { Problem } from "./problem.js";

export class Gate {
  readonly #concurrency: number;
  readonly #queue: number;
  readonly #inTurn: ReturnType<typeof limit>;
  #inside = 0;
  #working = 0;
  /** Seconds that a request works, smoothed: what Retry-After is made of. */
  #usual = 1;

  constructor(concurrency: number, queue: number) {
    this.#concurrency = concurrency;
    this.#queue = queue;
    this.#inTurn = limit(concurrency);
  }

  get working(): number {
    return this.#working;
  }

  get waiting(): number {
    return this.#inside - this.#working;
  }

  /** Runs `work` when it is its turn. Rejects with `busy` when too many wait, and with `aborted` when the signal ends the wait. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#inside >= this.#concurrency + this.#queue) {
      const seconds = Math.max(1, Math.ceil((this.#usual * (this.waiting + 1)) / this.#concurrency));
      throw new Problem("busy", `${this.#working} requests are worked on and ${this.waiting} wait: try again in ${seconds} s`, { "retry-after": String(seconds) });
    }
    this.#inside += 1;
    try {
      return await this.#inTurn(() => this.#timed(work), signal);
    } finally {
      this.#inside -= 1;
    }
  }

  async #timed<T>(work: () => Promise<T>): Promise<T> {
    this.#working += 1;
    const begun = performance.now();
    try {
      return await work();
    } finally {
      this.#usual = 0.8 * this.#usual + 0.2 * ((performance.now() - begun) / 1000);
      this.#working -= 1;
    }
  }
}
