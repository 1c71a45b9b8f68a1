// The library of pages that all views share: which documents there are, which are being read, which were skipped and why, and which
// page is being looked at. What there is is kept for the next visit. Knows nothing of how it is shown.
import { readFile, textSource } from "../read/files.js";
import { FileProblem, type Page, type Source } from "../pages.js";
import { strings } from "../strings.js";
import { sampleSource } from "./samples.js";
import { LibraryStore } from "./store.js";

/** A file that waits or is being read. */
export interface Job {
  readonly name: string;
  what: string;
  /** 0..1 where it is known. */
  share?: number;
  cancel(): void;
}

/** `documents`: what there is changed. `jobs`: only how far the reading is. `page`: another page is looked at. */
export type LibraryChange = "documents" | "jobs" | "page";

export class Library {
  readonly #store = new LibraryStore();
  /** Documents of an earlier visit are on their way, or the sample is there. */
  #sources: readonly Source[] = LibraryStore.holds ? [] : [sampleSource()];
  #jobs: readonly Job[] = [];
  #problems: readonly string[] = [];
  #page: Page | undefined;
  #pasted = 0;
  readonly #kept = new WeakSet<Source>();
  #reading: Promise<void> = Promise.resolve();
  #restored: Promise<void> = Promise.resolve();
  readonly #listeners = new Set<(change: LibraryChange) => void>();

  /** Brings back what an earlier visit left, once. */
  restore(): void {
    if (LibraryStore.holds) this.#restored = this.#reading = this.#restore();
  }

  /** Resolves when what an earlier visit left is there: before, a document that is missing need not be gone. */
  get restored(): Promise<void> {
    return this.#restored;
  }

  onChange(listener: (change: LibraryChange) => void): void {
    this.#listeners.add(listener);
  }

  get sources(): readonly Source[] {
    return this.#sources;
  }

  get pages(): readonly Page[] {
    return this.#sources.flatMap(({ pages }) => pages);
  }

  get jobs(): readonly Job[] {
    return this.#jobs;
  }

  /** Sentences about the files that were read last. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** The page that is looked at, if it is still there. */
  get page(): Page | undefined {
    return this.#page;
  }

  look(page: Page | undefined): void {
    if (page === this.#page) return;
    this.#page = page;
    this.#tell("page");
  }

  remove(source: Source): void {
    source.close?.();
    this.#set(this.#sources.filter((other) => other !== source));
  }

  useSample(): void {
    this.#set([...this.#sources, sampleSource()]);
  }

  addText(text: string): void {
    if (!text.trim()) return;
    this.#pasted += 1;
    const name = strings.pastedName(this.#pasted);
    try {
      this.#add(textSource(name, text));
    } catch (error) {
      this.#problems = [strings.fileSkipped(name, (error as FileProblem).message)];
      this.#tell("jobs");
    }
  }

  /** Reads the files one after the other, behind those that are being read. Resolves when they are read. */
  addFiles(files: readonly File[], kind: "own" | "sample" = "own"): Promise<void> {
    if (this.#jobs.length === 0) this.#problems = [];
    const works = files.map((file) => this.#job(file, kind));
    this.#reading = this.#reading.then(async () => { for (const work of works) await work(); });
    return this.#reading;
  }

  #enter(name: string): { job: Job; controller: AbortController; leave: () => void } {
    const controller = new AbortController();
    const leave = (): void => {
      this.#jobs = this.#jobs.filter((other) => other !== job);
      this.#tell("jobs");
    };
    const job: Job = {
      name, what: strings.waiting,
      cancel: () => {
        controller.abort();
        leave();
      },
    };
    this.#jobs = [...this.#jobs, job];
    this.#tell("jobs");
    return { job, controller, leave };
  }

  async #restore(): Promise<void> {
    const { job, controller: { signal }, leave } = this.#enter(strings.keptDocuments);
    let before = 0;
    try {
      const left = await this.#store.read((source, done, total) => {
        job.what = strings.restoring(done, total);
        job.share = done / total;
        // In front of what has been added meanwhile.
        this.#kept.add(source);
        this.#sources = [...this.#sources.slice(0, before), source, ...this.#sources.slice(before)];
        before += 1;
        this.#tell("jobs");
      }, signal);
      if (left > 0) this.#complain(strings.keptLeft(left));
    } catch (error) {
      this.#complain(strings.keptUnreadable((error as Error).message));
      // Better than an empty page that nobody has asked for.
      if (!signal.aborted && this.#sources.length === 0) this.#sources = [sampleSource()];
    } finally {
      leave();
      this.#tell("documents");
    }
  }

  #job(file: File, kind: "own" | "sample"): () => Promise<void> {
    const { job, controller, leave } = this.#enter(file.name);
    return async () => {
      const { signal } = controller;
      if (signal.aborted) return;
      try {
        const source = await readFile(file, {
          signal,
          onProgress: (what, share) => {
            job.what = what;
            if (share === undefined) delete job.share;
            else job.share = share;
            this.#tell("jobs");
          },
        });
        if (signal.aborted) source.close?.();
        else this.#add(kind === "sample" ? { ...source, sample: true } : source);
      } catch (error) {
        const why = error instanceof FileProblem ? error.message : strings.fileUnreadable;
        if (!signal.aborted) this.#problems = [...this.#problems, strings.fileSkipped(file.name, why)];
      } finally {
        leave();
      }
    };
  }

  /** The user's own pages take the place of the samples. */
  #add(source: Source): void {
    if (source.note) this.#problems = [...this.#problems, source.note];
    const before = source.sample ? this.#sources : this.#sources.filter(({ sample }) => !sample);
    for (const old of this.#sources) if (!before.includes(old)) old.close?.();
    this.#set([...before, source]);
  }

  #set(sources: readonly Source[]): void {
    for (const source of this.#sources) if (!sources.includes(source)) void this.#store.drop(source);
    this.#sources = sources;
    for (const source of sources) if (!this.#kept.has(source)) void this.#keep(source);
    if (this.#page && !this.pages.includes(this.#page)) this.#page = undefined;
    this.#tell("documents");
  }

  /** Each is tried once. Failing costs nothing but the next visit. */
  async #keep(source: Source): Promise<void> {
    this.#kept.add(source);
    const kept = await this.#store.keep(source);
    if (kept !== "all") this.#complain(strings.keptNot[kept](source.name));
  }

  #complain(problem: string): void {
    this.#problems = [...this.#problems, problem];
    this.#tell("jobs");
  }

  #tell(change: LibraryChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
