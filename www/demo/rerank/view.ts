// The view "Rerank": a question, the ranked pages, and the page being read. Owns the one running ranking.
import { say } from "../announce.js";
import { byId, makeButton } from "../dom.js";
import type { Library } from "../library/library.js";
import type { Model, Ranked } from "../model.js";
import type { Page, Span } from "../pages.js";
import { ProgressLine } from "../progress.js";
import { strings } from "../strings.js";
import { List } from "./list.js";
import { Reader } from "./reader.js";

export class RerankView {
  readonly #library: Library;
  readonly #model: Model;
  readonly #query = byId<HTMLInputElement>("query");
  readonly #buttons = { run: byId<HTMLButtonElement>("run"), cancel: byId<HTMLButtonElement>("cancel") };
  readonly #progress = new ProgressLine(byId("work"));
  readonly #list = new List((page) => this.open(page));
  readonly #reader = new Reader(() => this.#list.focus());
  #running: AbortController | undefined;

  constructor(library: Library, model: Model) {
    this.#library = library;
    this.#model = model;
    this.#reader.onTurn = (page) => {
      this.#list.select(page);
      library.look(page);
    };
    byId("ask").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#run();
    });
    this.#buttons.cancel.addEventListener("click", () => this.#running?.abort());
    for (const example of strings.sampleQueries) {
      byId("examples").append(makeButton("link example", example, () => {
        this.#query.value = example;
        void this.#run();
      }));
    }
    this.#query.value = strings.sampleQueries[0];
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
    this.#running?.abort();
  }

  #showPages(): void {
    const { pages } = this.#library;
    // A ranking of pages that are gone would mislead.
    this.#running?.abort();
    this.#list.showPages(pages);
    this.#reader.setPages(pages);
    if (pages[0]) this.#list.select(pages[0]);
  }

  #complain(message: string | undefined): void {
    const error = byId("error");
    error.hidden = message === undefined;
    error.textContent = message ?? "";
  }

  #setBusy(busy: boolean): void {
    const { run, cancel } = this.#buttons;
    // Losing a focused button would send the keyboard back to the top of the page.
    const [from, to] = busy ? [run, cancel] : [cancel, run];
    const focused = document.activeElement === from;
    cancel.hidden = !busy;
    run.hidden = busy;
    if (focused) to.focus({ preventScroll: true });
    byId("results").setAttribute("aria-busy", String(busy));
  }

  async #run(): Promise<void> {
    this.#running?.abort();
    this.#complain(undefined);
    const query = this.#query.value;
    const { pages } = this.#library;
    if (!query.trim()) {
      this.#complain(strings.noQuery);
      this.#query.focus();
      return;
    }
    if (pages.length === 0) {
      this.#complain(strings.noPages);
      return;
    }
    const controller = new AbortController();
    this.#running = controller;
    this.#setBusy(true);
    this.#progress.start(strings.starting);
    try {
      const ranked = await this.#model.rank(query, pages, {
        signal: controller.signal, onProgress: (event) => { if (this.#running === controller) this.#progress.update(event); },
      });
      if (this.#running === controller) this.#show(ranked);
    } catch (reason) {
      if (this.#running !== controller) return;
      this.#progress.end(controller.signal.aborted ? strings.cancelled : "");
      if (!controller.signal.aborted) this.#complain(strings.failed(reason instanceof Error ? reason.message : String(reason)));
    } finally {
      if (this.#running === controller) {
        this.#running = undefined;
        this.#setBusy(false);
      }
    }
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
    this.#progress.end(best ? strings.done(results.length, best.label) : strings.doneNothing);
  }
}
