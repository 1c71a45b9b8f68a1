// The library of pages that all views share: which documents there are, which are being read, which were skipped and why, and which
// page is being looked at. Knows nothing of how it is shown.
import { readFile, textSource } from "../read/files.js";
import { FileProblem, type Page, type Source } from "../pages.js";
import { strings } from "../strings.js";
import { sampleSource } from "./samples.js";

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
  #sources: readonly Source[] = [sampleSource()];
  #jobs: readonly Job[] = [];
  #problems: readonly string[] = [];
  #page: Page | undefined;
  #pasted = 0;
  #reading: Promise<void> = Promise.resolve();
  readonly #listeners = new Set<(change: LibraryChange) => void>();

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

  #job(file: File, kind: "own" | "sample"): () => Promise<void> {
    const controller = new AbortController();
    const leave = (): void => {
      this.#jobs = this.#jobs.filter((other) => other !== job);
      this.#tell("jobs");
    };
    const job: Job = {
      name: file.name, what: strings.waiting,
      cancel: () => {
        controller.abort();
        leave();
      },
    };
    this.#jobs = [...this.#jobs, job];
    this.#tell("jobs");
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
    this.#sources = sources;
    if (this.#page && !this.pages.includes(this.#page)) this.#page = undefined;
    this.#tell("documents");
  }

  #tell(change: LibraryChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
