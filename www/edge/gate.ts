// Lets so many requests work at once and so many wait; one more is refused with the time after which to try again.

import { Problem } from "./problem.js";

export class Gate {
  readonly #concurrency: number;
  readonly #queue: number;
  readonly #waiting: (() => void)[] = [];
  #working = 0;
  /** Seconds that a request works, smoothed: what Retry-After is made of. */
  #usual = 1;

  constructor(concurrency: number, queue: number) {
    this.#concurrency = concurrency;
    this.#queue = queue;
  }

  get working(): number {
    return this.#working;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs `work` when it is its turn. Rejects with `busy` when too many wait, and with the signal's reason while waiting. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(signal);
    const begun = performance.now();
    try {
      return await work();
    } finally {
      this.#usual = 0.8 * this.#usual + 0.2 * ((performance.now() - begun) / 1000);
      this.#working -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#working >= this.#concurrency) {
      if (this.#waiting.length >= this.#queue) {
        const seconds = Math.max(1, Math.ceil((this.#usual * (this.#waiting.length + 1)) / this.#concurrency));
        throw new Problem("busy", `${this.#working} requests are worked on and ${this.#waiting.length} wait: try again in ${seconds} s`, { "retry-after": String(seconds) });
      }
      await new Promise<void>((resolve, reject) => {
        const start = (): void => {
          signal.removeEventListener("abort", leave);
          resolve();
        };
        const leave = (): void => {
          this.#waiting.splice(this.#waiting.indexOf(start), 1);
          reject(signal.reason);
        };
        signal.addEventListener("abort", leave, { once: true });
        this.#waiting.push(start);
      });
    }
    this.#working += 1;
  }
}
