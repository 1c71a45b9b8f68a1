// The view "Rerank": a question, the ranked pages, and the page being read. Owns the one running ranking.
import { say } from "../announce.js";
import { byId } from "../dom.js";
import type { Library } from "../library/library.js";
import type { Model, Ranked } from "../model.js";
import type { Page, Span } from "../pages.js";
import { questionForm } from "../question-form.js";
import { RunForm } from "../run-form.js";
import { strings } from "../strings.js";
import { List } from "./list.js";
import { Reader } from "./reader.js";

export class RerankView {
  readonly #library: Library;
  readonly #model: Model;
  readonly #query: HTMLInputElement;
  readonly #form = new RunForm({ work: "work", run: "run", stop: "cancel", error: "error" }, {
    stopped: strings.cancelled, onBusy: (busy) => byId("results").setAttribute("aria-busy", String(busy)),
  });
  readonly #list = new List((page) => this.open(page));
  readonly #reader = new Reader(() => this.#list.focus());

  constructor(library: Library, model: Model) {
    this.#library = library;
    this.#model = model;
    this.#reader.onTurn = (page) => {
      this.#list.select(page);
      library.look(page);
    };
    this.#query = questionForm({ form: "ask", question: "query", examples: "examples" }, strings.sampleQueries, () => void this.#run());
    library.onChange((change) => { if (change === "documents") this.#showPages(); });
    this.#showPages();
  }

  /** Shows a page to its reader. */
  open(page: Page): void {
    this.#list.select(page);
    this.#reader.show(page, true);
    this.#library.look(page);
    say(strings.showing(page.label));
  }

  /** The model is about to change: a ranking by the old one is of no use. */
  stop(): void {
    this.#form.stop();
  }

  #showPages(): void {
    const { pages } = this.#library;
    // A ranking of pages that are gone would mislead.
    this.#form.stop();
    this.#list.showPages(pages);
    this.#reader.setPages(pages);
    if (pages[0]) this.#list.select(pages[0]);
  }

  async #run(): Promise<void> {
    this.#form.stop();
    this.#form.complain(undefined);
    const query = this.#query.value;
    const { pages } = this.#library;
    if (!query.trim()) {
      this.#form.complain(strings.noQuery);
      this.#query.focus();
      return;
    }
    if (pages.length === 0) {
      this.#form.complain(strings.noPages);
      return;
    }
    await this.#form.run(strings.starting, async ({ signal, current, onProgress }) => {
      const ranked = await this.#model.rank(query, pages, { signal, onProgress });
      if (current()) this.#show(ranked);
    });
  }

  #show({ response, info, loadMs }: Ranked): void {
    const { results, usage, timing } = response;
    const padding = usage.paddedTokens / Math.max(1, usage.tokens + usage.paddedTokens);
    const facts = strings.facts(results.length, usage.tokens, usage.batches, padding, timing.totalMs, response.device);
    this.#list.showRanking(response, info, loadMs === undefined ? facts : `${facts}; ${strings.loadFacts(loadMs)}`);
    const spans = new Map<Page, Span>();
    for (const { document: page, passage } of results) if (page && passage) spans.set(page, passage);
    this.#reader.setSpans(spans);
    const best = results[0]?.document;
    if (best) {
      this.#list.select(best);
      this.#reader.show(best, false);
      this.#library.look(best);
      // On a phone the results are below the fold.
      if (byId("results").getBoundingClientRect().top > innerHeight * 0.75) byId("results").scrollIntoView({ block: "start" });
    }
    this.#form.progress.end(best ? strings.done(results.length, best.label) : strings.doneNothing);
  }
}
