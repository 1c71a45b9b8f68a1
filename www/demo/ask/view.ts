// The view "Ask": question -> first stage -> second stage -> answer, with what each did and how long it took. Owns the one running question.
import type { Llm, SearchMode } from "foliorank";
import { chosen } from "../choices.js";
import { byId, make } from "../dom.js";
import { showDuel } from "../find/duel.js";
import type { Passage } from "../find/passages.js";
import type { Found, Search } from "../find/search.js";
import { second, strategyLabel, usable, type Second } from "../find/second.js";
import type { Model } from "../model.js";
import type { PageDialog } from "../page-dialog.js";
import { questionForm } from "../question-form.js";
import { RunForm, type Turn } from "../run-form.js";
import { strings } from "../strings.js";
import { quotes } from "./answer.js";
import { AnswerView } from "./answer-view.js";
import { candidates } from "./candidates.js";
import type { Part } from "./cited.js";
import { written } from "./written.js";

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
  readonly #answered = new AnswerView((passage, span) => this.#open(passage, span));
  readonly #form = new RunForm({ work: "ask-work", run: "ask-run", stop: "ask-stop", error: "ask-error" }, {
    onBusy: (busy) => {
      if (!busy) return;
      this.#answered.clear();
      showStages([]);
    },
  });
  readonly #question: HTMLInputElement;
  #listed = false;

  constructor(parts: AskParts) {
    this.#parts = parts;
    this.#question = questionForm({ form: "ask-form", question: "question", examples: "ask-examples" }, strings.askExamples, () => void this.#run());
  }

  stop(): void {
    this.#form.stop();
  }

  /** Called whenever the view comes to the front: the strategies depend on whether there is a language model. */
  async refresh(): Promise<void> {
    const llm = this.#parts.llm();
    byId("ask-llm").textContent = llm ? strings.llmSet : strings.llmNone;
    byId("answers-field").hidden = !llm;
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

  async #answer(query: string, turn: Turn): Promise<void> {
    const { signal, current, onProgress, tell } = turn;
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
      this.#answered.nothing(strings.nothingFound);
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
    // What came of an answer that broke off is shown all the same, and so are the quotes.
    let broken: { why: unknown } | undefined;
    let found = known;
    if (known && llm && current()) {
      try {
        found = await this.#write(query, passages, llm, turn);
      } catch (why) {
        broken = { why };
        if (current()) this.#answered.broken(signal.aborted ? strings.answerStopped : strings.answerBroken);
      }
    }
    mark(strings.stageAnswer, performance.now() - begun, llm && known ? strings.byLlm(Number(value("answers"))) : strings.byQuotes);
    if (!current()) return;
    if (!known) this.#answered.nothing(strings.notInPages(top, threshold));
    this.#answered.quotes(best, found ? "answer" : "nearest");
    if (broken) throw broken.why;
    this.#form.progress.end(found ? strings.answered : known ? strings.llmFoundNothing : strings.notInPages(top, threshold));
  }

  /** The language model's answer as it comes, or the best of several. False when it finds none. */
  async #write(query: string, passages: readonly Passage[], llm: Llm, { signal, current, onProgress, tell }: Turn): Promise<boolean> {
    const count = Number(byId<HTMLSelectElement>("answers").value);
    const texts = this.#answered.writing(count, passages);
    const onParts = (place: number, parts: Part[]): void => { if (current()) texts[place]?.show(parts); };
    tell(strings.writing(count, 0), count === 1 ? undefined : 0);
    const found = count === 1
      ? await written(query, passages, llm, { signal, temperature: 0, onParts: (parts) => onParts(0, parts) })
      : await candidates(query, passages, llm, {
        signal, onProgress, models: this.#parts.model, model: chosen().model, count, onParts,
        onDone: (done) => { if (done < count) tell(strings.writing(count, done), done / count); else tell(strings.weighing(count)); },
      });
    const any = found !== undefined && (!("ranked" in found) || found.ranked.length > 0);
    if (!current()) return any;
    if (!any) this.#answered.nothing(strings.llmFoundNothing);
    else if ("ranked" in found) this.#answered.ranked(found, passages);
    else this.#answered.written();
    return any;
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
