// The library as it is seen: ways to add pages, files being read with their progress, what was skipped, and the documents with their
// pages as tiles. A tile that is chosen is the page that all views look at.
import { say } from "../announce.js";
import { byId, make, makeButton } from "../dom.js";
import type { Page, Source } from "../pages.js";
import { ACCEPTED } from "../read/files.js";
import { strings } from "../strings.js";
import { wireDrop, wirePaste } from "./bring.js";
import type { Job, Library } from "./library.js";
import { fetchSample, MORE_SAMPLES } from "./samples.js";
import { Tiles } from "./tiles.js";

/** Documents with more pages start closed. */
const OPEN_PAGES = 24;

export class LibraryPanel {
  readonly #library: Library;
  readonly #onOpen: (page: Page) => void;
  readonly #sources = byId("sources");
  readonly #tiles = new Map<Source, Tiles>();
  readonly #jobs = new Map<Job, { item: HTMLElement; what: HTMLElement; bar: HTMLProgressElement }>();

  constructor(library: Library, onOpen: (page: Page) => void) {
    this.#library = library;
    this.#onOpen = onOpen;
    const add = (files: readonly File[]): void => void library.addFiles(files);
    const input = byId<HTMLInputElement>("files");
    input.accept = ACCEPTED;
    input.addEventListener("change", () => {
      add([...(input.files ?? [])]);
      // So that the same file can be chosen again.
      input.value = "";
    });
    wireDrop(add);
    wirePaste(add, (text) => library.addText(text));
    this.#wireToggle();
    library.onChange((change) => {
      if (change === "jobs") this.#showJobs();
      else if (change === "page") this.#showPage();
      else this.#showSources();
      this.#showProblems();
    });
    byId("more-samples").append(...MORE_SAMPLES.map((sample) => makeButton("link", sample.label, () => void this.#addSample(sample))));
    this.#showSources();
  }

  #wireToggle(): void {
    const [toggle, panel] = [byId("library-toggle"), byId("library")];
    toggle.addEventListener("click", () => {
      const open = toggle.getAttribute("aria-expanded") !== "true";
      toggle.setAttribute("aria-expanded", String(open));
      panel.dataset["open"] = String(open);
    });
  }

  async #addSample(sample: (typeof MORE_SAMPLES)[number]): Promise<void> {
    if (this.#library.sources.some(({ name }) => name === sample.name)) return;
    try {
      await this.#library.addFiles([await fetchSample(sample)], "sample");
    } catch {
      say(strings.sampleMissing(sample.name));
    }
  }

  #showSources(): void {
    const { sources, pages } = this.#library;
    byId("library-count").textContent = strings.libraryCount(sources.length, pages.length);
    for (const [source, tiles] of this.#tiles) {
      if (sources.includes(source)) continue;
      tiles.close();
      this.#tiles.delete(source);
    }
    const known = new Map([...this.#sources.children].map((item) => [item.id, item]));
    const items = sources.map((source, index) => {
      const own = this.#tiles.get(source);
      return (own && known.get(own.id)) ?? this.#document(source, index);
    });
    this.#sources.replaceChildren(...items);
    byId("sample-back").hidden = sources.length > 0;
    this.#showPage();
  }

  #document(source: Source, index: number): HTMLElement {
    const tiles = new Tiles(source.pages, this.#onOpen);
    this.#tiles.set(source, tiles);
    const pictured = source.pages.some(({ picture }) => picture);
    const open = pictured && source.pages.length <= OPEN_PAGES;
    const name = make("span", "doc-name", source.name);
    name.title = source.name;
    const about = source.sample ? `${strings.sampleTag} · ${strings.kind[source.kind]}` : strings.kind[source.kind];
    const toggle = makeButton("doc-toggle", make("span", "doc-arrow"), () => {
      const shown = toggle.getAttribute("aria-expanded") !== "true";
      toggle.setAttribute("aria-expanded", String(shown));
      tiles.show(shown);
    });
    toggle.append(name, make("span", "doc-about", `${about} · ${strings.pageCount(source.pages.length)}`));
    toggle.setAttribute("aria-expanded", String(open));
    const remove = makeButton("doc-remove icon", make("span", "cross", "×"), () => {
      const next = this.#sources.children[index + 1] ?? this.#sources.children[index - 1];
      this.#library.remove(source);
      (next?.querySelector<HTMLElement>(".doc-remove") ?? byId("sample-back")).focus();
    });
    remove.setAttribute("aria-label", strings.removeFile(source.name));
    const item = make("li", "doc", make("div", "doc-head", toggle, remove), tiles.list);
    item.id = tiles.id;
    tiles.show(open);
    return item;
  }

  #showPage(): void {
    for (const tiles of this.#tiles.values()) tiles.mark(this.#library.page);
  }

  #showJobs(): void {
    const { jobs } = this.#library;
    for (const [job, { item }] of this.#jobs) {
      if (jobs.includes(job)) continue;
      item.remove();
      this.#jobs.delete(job);
      if (jobs.length === 0) say(strings.readAll);
    }
    for (const job of jobs) {
      const { what, bar } = this.#jobs.get(job) ?? this.#job(job);
      what.textContent = job.what;
      if (job.share === undefined) bar.removeAttribute("value");
      else bar.value = job.share;
    }
  }

  #job(job: Job): { item: HTMLElement; what: HTMLElement; bar: HTMLProgressElement } {
    const what = make("span", "job-what");
    const bar = make("progress");
    bar.max = 1;
    bar.setAttribute("aria-label", strings.reading(job.name));
    const cancel = makeButton("link", strings.cancel, () => job.cancel());
    cancel.setAttribute("aria-label", strings.cancelReading(job.name));
    const name = make("span", "job-name", job.name);
    const item = make("li", "job", make("div", "job-line", name, cancel), what, bar);
    byId("jobs").append(item);
    say(strings.reading(job.name));
    const made = { item, what, bar };
    this.#jobs.set(job, made);
    return made;
  }

  #showProblems(): void {
    const list = byId("problems");
    const { problems } = this.#library;
    if (list.childElementCount === problems.length && problems.every((text, index) => list.children[index]?.textContent === text)) return;
    list.replaceChildren(...problems.map((problem) => make("li", "", problem)));
  }
}
