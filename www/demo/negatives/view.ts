// The view "Hard negatives": pick a page, generate, and see how the reranker scores what the page answers and what it does not.
// Owns the one running generation.
import { exportGroups, generateNegatives, importGroups, type Llm, type NegativesProgress, type PageJudge } from "foliorank";
import { say } from "../announce.js";
import { byId, make } from "../dom.js";
import type { Library } from "../library/library.js";
import { windows, type Model } from "../model.js";
import type { Page, Picture } from "../pages.js";
import { RunForm, type Turn } from "../run-form.js";
import { strings } from "../strings.js";
import { showFunnel } from "./funnel.js";
import { countFooled, rewrite, scoreGroup, scoreOf, setScore, sortNegatives, type Group } from "./groups.js";
import { showStrip } from "./strip.js";
import { groupTable, type TableHooks } from "./table.js";

/** Positives of one page: more would be more than anybody reads. */
const POSITIVES = 4;
/** Pixels of the picture that a model sees: more than it looks at, so that scaling it loses nothing. */
const PICTURE_WIDTH = 1600;

export interface NegativesParts {
  library: Library;
  model: Model;
  llm: () => Llm | undefined;
}

export class NegativesView {
  readonly #parts: NegativesParts;
  readonly #form = new RunForm({ work: "neg-work", run: "neg-run", stop: "neg-stop", error: "neg-error" });
  readonly #page = byId<HTMLSelectElement>("neg-page");
  readonly #by = byId<HTMLSelectElement>("neg-by");
  #groups: Group[] = [];
  #scoring: AbortController | undefined;

  constructor(parts: NegativesParts) {
    this.#parts = parts;
    byId("neg-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#run();
    });
    this.#page.addEventListener("change", () => parts.library.look(parts.library.pages[this.#page.selectedIndex]));
    this.#by.addEventListener("change", () => this.#showNote());
    byId("neg-export").addEventListener("click", () => void this.#export());
    const input = byId<HTMLInputElement>("neg-import");
    input.addEventListener("change", () => {
      const [file] = input.files ?? [];
      if (file) void this.#import(file);
      input.value = "";
    });
    parts.library.onChange((change) => { if (change !== "jobs") this.#showPages(); });
    this.#showPages();
  }

  stop(): void {
    this.#form.stop();
    this.#scoring?.abort();
  }

  /** Called whenever the view comes to the front: there may be a language model now. */
  refresh(): void {
    this.#showNote();
  }

  #showPages(): void {
    const { pages, page } = this.#parts.library;
    const known = [...this.#page.options].map(({ label }) => label);
    const labels = pages.map(({ label, file }) => `${label} · ${file}`);
    if (known.length !== labels.length || labels.some((label, place) => label !== known[place])) {
      this.#page.replaceChildren(...labels.map((label) => make("option", "", label)));
    }
    const place = page ? pages.indexOf(page) : -1;
    if (place >= 0) this.#page.selectedIndex = place;
  }

  #showNote(): void {
    const note = { rules: strings.negRulesNote, llm: strings.negLlmNote, seeing: strings.negSeeingNote }[this.#by.value] ?? "";
    byId("neg-note").textContent = this.#by.value === "rules" || this.#parts.llm() ? note : strings.negNeedsLlm;
  }

  #judge(turn: Turn): PageJudge {
    return {
      rerank: async (query, documents, options) => (await this.#parts.model.start(turn)).rerank(query, documents, { ...windows(), ...options }),
    };
  }

  async #run(): Promise<void> {
    this.stop();
    const { library } = this.#parts;
    const page = library.pages[this.#page.selectedIndex];
    const by = this.#by.value;
    const llm = by === "rules" ? undefined : this.#parts.llm();
    const trouble = !page ? strings.negNoPages
      : by !== "rules" && !llm ? strings.negNeedsLlm
      : by === "seeing" && !page.picture ? strings.negNoPicture : undefined;
    this.#form.complain(trouble);
    if (!page || trouble) return;
    const picture = by === "seeing" ? page.picture : undefined;
    await this.#form.run(strings.starting, (turn) => this.#generate(page, { llm, picture }, turn));
  }

  async #generate(page: Page, { llm, picture }: { llm: Llm | undefined; picture: Picture | undefined }, turn: Turn): Promise<void> {
    const { signal, current, tell } = turn;
    const { library, model } = this.#parts;
    await model.start(turn);
    const onProgress = ({ stage, done, total, funnel }: NegativesProgress): void => {
      if (!current()) return;
      tell(strings.generating(strings.negStage[stage] ?? stage, done, total), done / Math.max(1, total));
      showFunnel(funnel);
    };
    const image = await picture?.draw(PICTURE_WIDTH);
    const others = library.pages.filter((other) => other !== page).map(({ text }) => text);
    const result = await generateNegatives({ text: page.text, title: `${page.file}, ${page.label}`, others, ...(image ? { image } : {}) }, {
      judge: this.#judge(turn), signal, onProgress, ...(llm ? { llm } : {}),
      settings: { negatives: Number(byId<HTMLSelectElement>("neg-keep").value), positives: POSITIVES, pageBytes: 200_000 },
    });
    if (!current()) return;
    this.#groups = result.groups;
    showFunnel(result.funnel);
    this.#show();
    model.changed();
    if (result.stopped) this.#form.complain(strings.failed(result.stopped.message));
    else if (result.groups.length === 0) this.#form.complain(strings.negNothing);
    const negatives = result.groups.reduce((sum, group) => sum + group.negatives.length, 0);
    this.#form.progress.end(strings.generated(result.groups.length, negatives, countFooled(result.groups)));
  }

  #show(): void {
    showStrip(this.#groups);
    const scores = this.#groups.flatMap(({ positive, negatives }) => [positive, ...negatives].flatMap(({ score }) => score ?? []));
    const range = { low: Math.min(...scores), high: Math.max(...scores) };
    const hooks: TableHooks = {
      range: () => range,
      score: (query, group) => this.#score(query, group),
      onEdit: (group, change) => void this.#edit(group, change),
    };
    byId("groups").replaceChildren(...this.#groups.map((group, place) => groupTable(group, place, hooks)));
    byId<HTMLButtonElement>("neg-export").disabled = this.#groups.length === 0;
  }

  /** While the user types only the last one matters. */
  async #score(query: string, group: Group): Promise<number | undefined> {
    this.#scoring?.abort();
    const controller = new AbortController();
    this.#scoring = controller;
    const score = await scoreOf(query, group, this.#parts.model, { signal: controller.signal, onProgress: () => undefined });
    return this.#scoring === controller ? score : undefined;
  }

  async #edit(group: Group, { negative, query, how }: Parameters<TableHooks["onEdit"]>[1]): Promise<void> {
    if (how === "delete") {
      group.negatives = group.negatives.filter((other) => other !== negative);
      say(strings.removed);
    } else {
      if (how === "add") group.negatives.push(negative);
      else if (query !== negative.query) rewrite(negative, query);
      try {
        setScore(group, negative, await scoreOf(query, group, this.#parts.model, { signal: new AbortController().signal, onProgress: () => undefined }));
      } catch (error) {
        this.#form.complain(strings.failed((error as Error).message));
      }
      sortNegatives(group);
    }
    this.#show();
    // The row that was edited is gone; its table is where the user was.
    const table = byId("groups").children[this.#groups.indexOf(group)];
    table?.querySelector<HTMLElement>(how === "add" ? ".neg-add input" : ".cell-actions button")?.focus({ preventScroll: true });
  }

  async #export(): Promise<void> {
    const blob = new Blob([await exportGroups(this.#groups)], { type: "application/jsonl" });
    const link = make("a");
    link.href = URL.createObjectURL(blob);
    link.download = "hard-negatives.jsonl";
    link.click();
    URL.revokeObjectURL(link.href);
  }

  async #import(file: File): Promise<void> {
    this.#form.complain(undefined);
    await this.#form.run(strings.reading(file.name), async (turn) => {
      const groups = await importGroups(await file.text());
      for (const [place, group] of groups.entries()) {
        turn.tell(strings.generating(strings.negStage["judge"] ?? "", place, groups.length), place / groups.length);
        // Scores of another model do not compare with this one's.
        await scoreGroup(group, this.#parts.model, turn);
      }
      if (!turn.current()) return;
      this.#groups = groups;
      byId("funnel").hidden = true;
      this.#show();
      this.#form.progress.end(strings.imported(groups.length));
    });
  }
}
