// A progress line: what is being done, how far it is, and a bar. Big steps are also told to screen readers, small ones are not.
import type { LoadProgress, RerankProgress } from "foliorank";
import { say } from "./announce.js";
import { make } from "./dom.js";
import { strings } from "./strings.js";

export class ProgressLine {
  readonly #work: HTMLElement;
  readonly #label = make("span", "work-label");
  readonly #percent = make("span", "work-percent");
  readonly #bar = make("progress");
  /** Bytes of each file, because two arrive at once and the bar is about both. */
  #files = new Map<string, { loaded: number; total: number }>();

  /** Takes over an empty element. */
  constructor(work: HTMLElement) {
    this.#work = work;
    this.#bar.max = 1;
    this.#bar.setAttribute("aria-label", strings.progress);
    work.classList.add("work");
    work.append(make("div", "work-line", this.#label, this.#percent), this.#bar);
    work.dataset["busy"] = "false";
  }

  start(label: string): void {
    this.#files = new Map();
    this.#work.dataset["busy"] = "true";
    this.set(label);
    say(label);
  }

  end(said: string): void {
    this.#work.dataset["busy"] = "false";
    // How often something was finished, for those who wait for it from outside.
    this.#work.dataset["done"] = String(Number(this.#work.dataset["done"] ?? 0) + 1);
    say(said);
  }

  update(progress: LoadProgress | RerankProgress): void {
    switch (progress.type) {
      case "download": {
        this.#files.set(progress.file, progress);
        const all = [...this.#files.values()];
        const loaded = all.reduce((sum, file) => sum + file.loaded, 0);
        const total = all.reduce((sum, file) => sum + file.total, 0);
        if (progress.cached) this.set(strings.fromCache(progress.file));
        else if (loaded < total) this.set(strings.downloading(progress.file, progress.loaded, progress.total), loaded / total);
        break;
      }
      case "initialise":
        this.set(strings.initialising);
        say(strings.initialising);
        break;
      case "warm_up":
        this.set(strings.warmingUp(progress.device));
        break;
      case "ready":
        this.set(strings.scoringStart, 0);
        say(strings.ready);
        break;
      case "batch":
        if (progress.batches === 0) this.set(strings.tokenising);
        else this.set(strings.scoring(progress.batch, progress.batches), progress.tokens / Math.max(1, progress.totalTokens));
        break;
      case "strategy":
        this.set(strings.strategyStep(progress.step, progress.calls), progress.step / Math.max(1, progress.steps));
        break;
      case "restart":
        this.set(strings.restarted);
        say(strings.restarted);
        break;
      case "queued":
        break;
    }
  }

  /** Without a share the bar only shows that something is going on. */
  set(label: string, share?: number): void {
    this.#label.textContent = label;
    if (share === undefined) this.#bar.removeAttribute("value");
    else this.#bar.value = share;
    this.#percent.textContent = share === undefined ? "" : `${Math.round(share * 100)}%`;
  }
}
