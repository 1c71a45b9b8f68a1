// The progress line: what is being done, how far it is, and a bar. Big steps are also told to screen readers, small ones are not.
import type { LoadProgress, RerankProgress } from "foliorank";
import { byId } from "./dom.js";
import { strings } from "./strings.js";

export class ProgressLine {
  readonly #work = byId("work");
  readonly #label = byId("work-label");
  readonly #percent = byId("work-percent");
  readonly #bar = byId<HTMLProgressElement>("progress");
  readonly #status = byId("status");
  /** Bytes of each file, because two arrive at once and the bar is about both. */
  #files = new Map<string, { loaded: number; total: number }>();
  #said = "";

  start(label: string): void {
    this.#files = new Map();
    this.#work.hidden = false;
    this.#set(label);
    this.say(label);
  }

  end(said: string): void {
    this.#work.hidden = true;
    this.say(said);
  }

  say(text: string): void {
    if (text === this.#said) return;
    this.#said = text;
    this.#status.textContent = text;
  }

  update(progress: LoadProgress | RerankProgress): void {
    switch (progress.type) {
      case "download": {
        this.#files.set(progress.file, progress);
        const all = [...this.#files.values()];
        const loaded = all.reduce((sum, file) => sum + file.loaded, 0);
        const total = all.reduce((sum, file) => sum + file.total, 0);
        if (progress.cached) this.#set(strings.fromCache(progress.file));
        else if (loaded < total) this.#set(strings.downloading(progress.file, progress.loaded, progress.total), loaded / total);
        break;
      }
      case "initialise":
        this.#set(strings.initialising);
        this.say(strings.initialising);
        break;
      case "warm_up":
        this.#set(strings.warmingUp(progress.device));
        break;
      case "ready":
        this.#set(strings.scoringStart, 0);
        this.say(strings.ready);
        break;
      case "batch":
        if (progress.batches === 0) this.#set(strings.tokenising);
        else this.#set(strings.scoring(progress.batch, progress.batches), progress.tokens / Math.max(1, progress.totalTokens));
        break;
      case "restart":
        this.#set(strings.restarted);
        this.say(strings.restarted);
        break;
      case "queued":
        break;
    }
  }

  /** Without a share the bar only shows that something is going on. */
  #set(label: string, share?: number): void {
    this.#label.textContent = label;
    if (share === undefined) this.#bar.removeAttribute("value");
    else this.#bar.value = share;
    this.#percent.textContent = share === undefined ? "" : `${Math.round(share * 100)}%`;
  }
}
