// The view "Compare": the same candidates for the same question ranked in two ways, by model, strategy or both, side by side.
import facts from "build:facts";
import type { Llm } from "foliorank";
import { fillStrategies } from "../ask/view.js";
import { chosen } from "../choices.js";
import { byId, make } from "../dom.js";
import { showDuel, type Ranking } from "../find/duel.js";
import type { Passage } from "../find/passages.js";
import type { Search } from "../find/search.js";
import { second, type Second, type Way } from "../find/second.js";
import type { Model } from "../model.js";
import type { PageDialog } from "../page-dialog.js";
import { questionForm } from "../question-form.js";
import { RunForm, type Turn } from "../run-form.js";
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
  readonly #form = new RunForm({ work: "compare-work", run: "compare-run", stop: "compare-stop", error: "compare-error" });
  readonly #question: HTMLInputElement;

  constructor(parts: CompareParts) {
    this.#parts = parts;
    this.#question = questionForm({ form: "compare-form", question: "compare-question", examples: "compare-examples" }, strings.sampleQueries, () => void this.#run());
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
    this.#form.stop();
  }

  async refresh(): Promise<void> {
    for (const side of SIDES) await fillStrategies(byId<HTMLSelectElement>(`strategy-${side}`), this.#parts.llm());
  }

  #way(side: "a" | "b"): Way {
    const value = (id: string): string => byId<HTMLSelectElement>(`${id}-${side}`).value;
    return { model: value("model"), strategy: value("strategy"), fuse: "" };
  }

  async #run(): Promise<void> {
    this.#form.stop();
    const query = this.#question.value.trim();
    this.#form.complain(query ? undefined : strings.noQuery);
    if (query) await this.#form.run(strings.starting, (turn) => this.#compare(query, turn));
  }

  async #compare(query: string, turn: Turn): Promise<void> {
    const { search, model, dialog, llm } = this.#parts;
    const { found } = await search.search(query, "bm25", CANDIDATES, turn);
    if (found.length === 0) throw new Error(strings.nothingFound);
    const sides: Ranking[] = [];
    const ranked: Second[] = [];
    for (const side of SIDES) {
      const way = this.#way(side);
      const one = await second(query, found, way, { ...turn, models: model, llm: llm() });
      ranked.push(one);
      sides.push({
        heading: `${side.toUpperCase()}: ${one.info.model}`,
        note: `${strings.wayNote(way.strategy, one.report?.judgements ?? found.length, one.report?.calls ?? 0)}, ${strings.milliseconds(one.ms)}`,
        rows: one.results.map(({ passage, score }) => ({ passage, score, ...(one.plain ? { share: score } : {}) })),
      });
    }
    if (!turn.current()) return;
    const [a, b] = sides as [Ranking, Ranking];
    const open = (passage: Passage): void => {
      const page = search.pageOf(passage);
      if (page) dialog.open(page, passage);
    };
    showDuel(byId("compare-duel"), a, b, open);
    const [left, right] = ranked.map(({ results }) => results.map(({ passage }) => passage.id)) as [string[], string[]];
    const { tau, shared } = agreement(left, right, 5);
    byId("agreement").textContent = strings.agreement(tau, shared, Math.min(5, left.length));
    this.#form.progress.end(strings.compared);
  }
}
