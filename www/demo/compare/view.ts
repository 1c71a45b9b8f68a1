// The view "Compare": the same candidates for the same question ranked in two ways, by model, strategy or both, side by side.
import facts from "build:facts";
import type { Llm } from "foliorank";
import { fillStrategies } from "../ask/view.js";
import { chosen } from "../choices.js";
import { byId, make, makeButton } from "../dom.js";
import { showDuel, type Ranking } from "../find/duel.js";
import type { Passage } from "../find/passages.js";
import type { Search } from "../find/search.js";
import { second, type Second, type Way } from "../find/second.js";
import type { Model } from "../model.js";
import type { PageDialog } from "../page-dialog.js";
import { ProgressLine } from "../progress.js";
import { strings } from "../strings.js";
import { agreement } from "./agreement.js";

const CANDIDATES = 15;
const SIDES = ["a", "b"] as const;

export interface CompareParts {
  search: Search;
  model: Model;
  dialog: PageDialog;
  llm: () => Llm | undefined;
}

export class CompareView {
  readonly #parts: CompareParts;
  readonly #progress = new ProgressLine(byId("compare-work"));
  readonly #question = byId<HTMLInputElement>("compare-question");
  #running: AbortController | undefined;

  constructor(parts: CompareParts) {
    this.#parts = parts;
    byId("compare-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#run();
    });
    byId("compare-stop").addEventListener("click", () => this.#running?.abort());
    for (const example of strings.sampleQueries) {
      byId("compare-examples").append(makeButton("link example", example, () => {
        this.#question.value = example;
        void this.#run();
      }));
    }
    this.#question.value = strings.sampleQueries[0];
    for (const side of SIDES) {
      const select = byId<HTMLSelectElement>(`model-${side}`);
      const models = facts.models.map(({ name, title }) => ({ name, title }));
      if (!models.some(({ name }) => name === chosen().model)) models.unshift({ name: chosen().model, title: strings.ownModel });
      select.replaceChildren(...models.map(({ name, title }) => {
        const option = make("option", "", title);
        option.value = name;
        return option;
      }));
      // Two different ones to begin with.
      select.selectedIndex = side === "a" ? 0 : Math.min(1, models.length - 1);
    }
  }

  stop(): void {
    this.#running?.abort();
  }

  async refresh(): Promise<void> {
    for (const side of SIDES) await fillStrategies(byId<HTMLSelectElement>(`strategy-${side}`), this.#parts.llm());
  }

  #way(side: "a" | "b"): Way {
    const value = (id: string): string => byId<HTMLSelectElement>(`${id}-${side}`).value;
    return { model: value("model"), strategy: value("strategy"), fuse: "" };
  }

  async #run(): Promise<void> {
    this.#running?.abort();
    const query = this.#question.value.trim();
    const error = byId("compare-error");
    error.hidden = query !== "";
    error.textContent = query ? "" : strings.noQuery;
    if (!query) return;
    const controller = new AbortController();
    const { signal } = controller;
    this.#running = controller;
    const current = (): boolean => this.#running === controller;
    this.#setBusy(true);
    this.#progress.start(strings.starting);
    try {
      const { search, model, dialog, llm } = this.#parts;
      const doing = {
        signal, onProgress: (event: Parameters<ProgressLine["update"]>[0]) => { if (current()) this.#progress.update(event); },
        tell: (what: string, share?: number) => { if (current()) this.#progress.set(what, share); },
      };
      const { found } = await search.search(query, "bm25", CANDIDATES, doing);
      if (found.length === 0) throw new Error(strings.nothingFound);
      const sides: Ranking[] = [];
      const ranked: Second[] = [];
      for (const side of SIDES) {
        const way = this.#way(side);
        const one = await second(query, found, way, { ...doing, models: model, llm: llm() });
        ranked.push(one);
        sides.push({
          heading: `${side.toUpperCase()}: ${one.info.model}`,
          note: `${strings.wayNote(way.strategy, one.report?.judgements ?? found.length, one.report?.calls ?? 0)}, ${strings.milliseconds(one.ms)}`,
          rows: one.results.map(({ passage, score }) => ({ passage, score, ...(one.plain ? { share: score } : {}) })),
        });
      }
      if (!current()) return;
      const [a, b] = sides as [Ranking, Ranking];
      const open = (passage: Passage): void => {
        const page = search.pageOf(passage);
        if (page) dialog.open(page, passage);
      };
      showDuel(byId("compare-duel"), a, b, open);
      const [left, right] = ranked.map(({ results }) => results.map(({ passage }) => passage.id)) as [string[], string[]];
      const { tau, shared } = agreement(left, right, 5);
      byId("agreement").textContent = strings.agreement(tau, shared, Math.min(5, left.length));
      this.#progress.end(strings.compared);
    } catch (reason) {
      if (!current()) return;
      this.#progress.end(signal.aborted ? strings.stopped : "");
      error.hidden = signal.aborted;
      error.textContent = strings.failed((reason as Error).message);
    } finally {
      if (current()) {
        this.#running = undefined;
        this.#setBusy(false);
      }
    }
  }

  #setBusy(busy: boolean): void {
    const [run, stop] = [byId("compare-run"), byId("compare-stop")];
    const [from, to] = busy ? [run, stop] : [stop, run];
    const focused = document.activeElement === from;
    stop.hidden = !busy;
    run.hidden = busy;
    if (focused) to.focus({ preventScroll: true });
  }
}
