// The view "Ask": question -> first stage -> second stage -> answer, with what each did and how long it took. Owns the one running question.
import type { Llm, SearchMode } from "foliorank";
import { say } from "../announce.js";
import { chosen } from "../choices.js";
import { byId, make, makeButton } from "../dom.js";
import { showDuel } from "../find/duel.js";
import type { Passage } from "../find/passages.js";
import type { Found, Search } from "../find/search.js";
import { second, strategyLabel, usable, type Second } from "../find/second.js";
import type { Model } from "../model.js";
import type { PageDialog } from "../page-dialog.js";
import { RunForm, type Turn } from "../run-form.js";
import { strings } from "../strings.js";
import { quotes, written, type Quote } from "./answer.js";
import type { Part } from "./cited.js";

/** Quotes shown. */
const QUOTED = 3;

export interface AskParts {
  search: Search;
  model: Model;
  dialog: PageDialog;
  /** The language model that the user has set up, if any. */
  llm: () => Llm | undefined;
}

interface Stage {
  name: string;
  ms: number;
  note: string;
}

export class AskView {
  readonly #parts: AskParts;
  readonly #form = new RunForm({ work: "ask-work", run: "ask-run", stop: "ask-stop", error: "ask-error" }, {
    onBusy: (busy) => {
      if (!busy) return;
      byId("answer").replaceChildren();
      showStages([]);
    },
  });
  readonly #question = byId<HTMLInputElement>("question");
  #listed = false;

  constructor(parts: AskParts) {
    this.#parts = parts;
    byId("ask-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#run();
    });
    for (const example of strings.askExamples) {
      byId("ask-examples").append(makeButton("link example", example, () => {
        this.#question.value = example;
        void this.#run();
      }));
    }
    this.#question.value = strings.askExamples[0];
  }

  stop(): void {
    this.#form.stop();
  }

  /** Called whenever the view comes to the front: the strategies depend on whether there is a language model. */
  async refresh(): Promise<void> {
    const llm = this.#parts.llm();
    byId("ask-llm").textContent = llm ? strings.llmSet : strings.llmNone;
    const select = byId<HTMLSelectElement>("strategy");
    if (this.#listed && select.dataset["llm"] === String(llm !== undefined)) return;
    this.#listed = true;
    select.dataset["llm"] = String(llm !== undefined);
    await fillStrategies(select, llm);
  }

  async #run(): Promise<void> {
    this.#form.stop();
    const query = this.#question.value.trim();
    this.#form.complain(query ? undefined : strings.noQuery);
    if (query) await this.#form.run(strings.starting, (turn) => this.#answer(query, turn));
  }

  async #answer(query: string, { signal, current, onProgress, tell }: Turn): Promise<void> {
    const { search, model, llm: given } = this.#parts;
    const llm = given();
    const value = (id: string): string => byId<HTMLSelectElement>(id).value;
    const doing = { signal, onProgress };
    const stages: Stage[] = [];
    const mark = (name: string, ms: number, note: string): void => {
      stages.push({ name, ms, note });
      if (current()) showStages(stages);
    };

    const first = await search.search(query, value("mode") as SearchMode, Number(value("candidates")), { ...doing, tell });
    signal.throwIfAborted();
    mark(strings.stageIndex, first.indexMs, strings.passageCount(first.passages));
    mark(strings.stageFirst, first.searchMs, strings.candidateCount(first.found.length));
    if (first.found.length === 0) {
      byId("ask-duel").replaceChildren();
      showNothing(strings.nothingFound);
      this.#form.progress.end(strings.nothingFound);
      return;
    }
    const way = { model: chosen().model, strategy: value("strategy"), fuse: value("fuse") };
    const ranked = await second(query, first.found, way, { ...doing, models: model, llm });
    mark(strings.stageSecond, ranked.ms, strings.wayNote(way.strategy, ranked.report?.judgements ?? first.found.length, ranked.report?.calls ?? 0));
    if (!current()) return;
    this.#showLists(first.found, ranked);

    tell(strings.answering);
    const begun = performance.now();
    const passages = ranked.results.map(({ passage }) => passage);
    const best = await quotes(query, passages, way.model, { ...doing, models: model });
    const threshold = Number(value("threshold"));
    const top = Math.max(...best.map(({ score }) => score), 0);
    const known = top >= threshold;
    const words = known && llm ? await written(query, passages, llm, signal) : undefined;
    mark(strings.stageAnswer, performance.now() - begun, llm && known ? strings.byLlm : strings.byQuotes);
    if (!current()) return;
    if (!known) showNothing(strings.notInPages(top, threshold));
    else if (llm && !words) showNothing(strings.llmFoundNothing);
    else if (words) this.#showWords(words, passages);
    this.#showQuotes(best, known ? "answer" : "nearest");
    this.#form.progress.end(known ? strings.answered : strings.notInPages(top, threshold));
  }

  #showLists(found: readonly Found[], ranked: Second): void {
    const most = Math.max(...found.map(({ score }) => score), 1e-9);
    showDuel(byId("ask-duel"), {
      heading: strings.firstList, note: strings.firstNote(byId<HTMLSelectElement>("mode").selectedOptions[0]?.textContent ?? ""),
      rows: found.map(({ document, score }) => ({ passage: document, score, share: score / most })),
    }, {
      heading: strings.secondList, note: strings.secondNote(ranked.info.model, ranked.report?.name),
      rows: ranked.results.map(({ passage, score }) => ({ passage, score, ...(ranked.plain ? { share: score } : {}) })),
    }, (passage) => this.#open(passage));
  }

  #open(passage: Passage, span = { start: 0, end: passage.text.length }): void {
    const page = this.#parts.search.pageOf(passage);
    if (page) this.#parts.dialog.open(page, { start: passage.start + span.start, end: passage.start + span.end });
  }

  #showWords(parts: readonly Part[], passages: readonly Passage[]): void {
    const text = make("p", "answer-text");
    for (const part of parts) {
      if ("text" in part) text.append(part.text);
      else {
        const passage = passages[part.cites - 1] as Passage;
        const cite = makeButton("cite", String(part.cites), () => this.#open(passage));
        cite.setAttribute("aria-label", strings.cites(part.cites, passage.label));
        text.append(cite);
      }
    }
    byId("answer").replaceChildren(make("h3", "", strings.answer), text);
  }

  #showQuotes(best: readonly Quote[], how: "answer" | "nearest"): void {
    const answer = byId("answer");
    const items = best.map(({ passage, sentence, around, score }, place) => {
      const { text } = passage;
      const before = `${around.start > 0 ? "\u2026 " : ""}${text.slice(around.start, sentence.start)}`;
      const after = `${text.slice(sentence.end, around.end)}${around.end < text.length ? " \u2026" : ""}`;
      const quote = make("blockquote", "quote", before, make("mark", "", text.slice(sentence.start, sentence.end)), after);
      const source = makeButton("link", strings.quoteSource(place + 1, passage.label, passage.file), () => this.#open(passage, sentence));
      return make("li", "", quote, make("p", "quote-foot", source, make("span", "hint", strings.quoteScore(score))));
    });
    if (items.length === 0) return;
    const list = make("ol", "quotes", ...items.slice(0, how === "answer" ? QUOTED : 2));
    if (how === "answer" && !answer.hasChildNodes()) answer.append(make("h3", "", strings.bestPassages));
    else answer.append(make("h4", "", how === "answer" ? strings.sources : strings.nearest));
    answer.append(list);
    say(strings.answered);
  }

}

export async function fillStrategies(select: HTMLSelectElement, llm: Llm | undefined): Promise<void> {
  const kept = select.value;
  const none = make("option", "", strings.strategyNone);
  none.value = "";
  const options = (await usable(llm)).map((one) => {
    const option = make("option", "", strategyLabel(one));
    option.value = one.name;
    option.title = one.summary;
    return option;
  });
  select.replaceChildren(none, ...options);
  if (options.some(({ value }) => value === kept)) select.value = kept;
}

function showStages(stages: readonly Stage[]): void {
  byId("stages").replaceChildren(...stages.map(({ name, ms, note }) =>
    make("li", "stage", make("span", "stage-name", name), make("span", "stage-ms", strings.milliseconds(ms)), make("span", "stage-note", note))));
}

function showNothing(text: string): void {
  byId("answer").replaceChildren(make("p", "nothing", text));
}
