// One piece of work at a time behind a form: a new one ends the one before, only the newest is heard, and the buttons that start and stop
// it trade places. What the work is, and what is shown when it is done, is the view's business.
import type { LoadProgress, RerankProgress } from "foliorank";
import { byId } from "./dom.js";
import { ProgressLine } from "./progress.js";
import { strings } from "./strings.js";

/** Ids of the form's elements. */
export interface RunFormIds {
  work: string;
  run: string;
  stop: string;
  error: string;
}

export interface RunFormOptions {
  /** What is said when the user has stopped it. */
  stopped?: string;
  onBusy?: (busy: boolean) => void;
}

/** What a piece of work has of its form. Once a newer one has begun, nothing of it is shown any more. */
export interface Turn {
  readonly signal: AbortSignal;
  current(): boolean;
  readonly onProgress: (event: LoadProgress | RerankProgress) => void;
  readonly tell: (what: string, share?: number) => void;
}

export class RunForm {
  readonly progress: ProgressLine;
  readonly #ids: RunFormIds;
  readonly #options: RunFormOptions;
  #running: AbortController | undefined;

  constructor(ids: RunFormIds, options: RunFormOptions = {}) {
    this.progress = new ProgressLine(byId(ids.work));
    this.#ids = ids;
    this.#options = options;
    byId(ids.stop).addEventListener("click", () => this.stop());
  }

  stop(): void {
    this.#running?.abort();
  }

  complain(message: string | undefined): void {
    const error = byId(this.#ids.error);
    error.hidden = message === undefined;
    error.textContent = message ?? "";
  }

  /** Never rejects: what goes wrong is shown. */
  async run(label: string, work: (turn: Turn) => Promise<void>): Promise<void> {
    this.stop();
    const controller = new AbortController();
    const { signal } = controller;
    this.#running = controller;
    const current = (): boolean => this.#running === controller;
    this.#setBusy(true);
    this.progress.start(label);
    try {
      await work({
        signal, current,
        onProgress: (event) => { if (current()) this.progress.update(event); },
        tell: (what, share) => { if (current()) this.progress.set(what, share); },
      });
    } catch (error) {
      if (!current()) return;
      this.progress.end(signal.aborted ? this.#options.stopped ?? strings.stopped : "");
      if (!signal.aborted) this.complain(strings.failed(error instanceof Error ? error.message : String(error)));
    } finally {
      if (current()) {
        this.#running = undefined;
        this.#setBusy(false);
      }
    }
  }

  #setBusy(busy: boolean): void {
    const [run, stop] = [byId(this.#ids.run), byId(this.#ids.stop)];
    // Losing a focused button would send the keyboard back to the top of the page.
    const [from, to] = busy ? [run, stop] : [stop, run];
    const focused = document.activeElement === from;
    stop.hidden = !busy;
    run.hidden = busy;
    if (focused) to.focus({ preventScroll: true });
    this.#options.onBusy?.(busy);
  }
}
