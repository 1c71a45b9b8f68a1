// The first stage over the library: passages in an index that the browser keeps, brought up to date before each search. What was
// stored at an earlier visit and is still in the library costs nothing, its vectors included.
import { Index, type SearchMode, type SearchResult } from "foliorank";
import { EMBEDDER, type Doing, type Model } from "../model.js";
import type { Library } from "../library/library.js";
import type { Page } from "../pages.js";
import { strings } from "../strings.js";
import { passagesOf, type Passage } from "./passages.js";

export type Found = SearchResult<Passage>;
/** Told what is being done, with a share where there is one. */
export type Tell = (what: string, share?: number) => void;

export interface Searched {
  found: readonly Found[];
  passages: number;
  /** Bringing the index up to date. */
  indexMs: number;
  searchMs: number;
}

/** Pages cut into passages before the browser gets a turn. */
const PORTION = 20;

export class Search {
  readonly #library: Library;
  readonly #model: Model;
  readonly #indexes = new Map<boolean, Promise<Index<Passage>>>();
  #pages = new Map<string, Page>();
  readonly #cut = new WeakMap<Page, readonly Passage[]>();

  constructor(library: Library, model: Model) {
    this.#library = library;
    this.#model = model;
    // An embedder that was ended cannot answer for an index.
    model.onDrop(() => this.#indexes.delete(true));
  }

  /** The page that a passage is from, if it is still there. */
  pageOf(passage: Passage): Page | undefined {
    return this.#pages.get(passage.id);
  }

  async search(query: string, mode: SearchMode, top: number, { signal, onProgress, tell }: Doing & { tell: Tell }): Promise<Searched> {
    // What is not in the library leaves the index, and that would be dear to make again.
    await this.#library.restored;
    const begun = performance.now();
    const passages = await this.#passages(signal);
    const index = await this.#open(mode !== "bm25", { signal, onProgress, tell });
    const wanted = new Set(passages.map(({ id }) => id));
    const kept = new Set(await index.ids());
    const stale = [...kept].filter((id) => !wanted.has(id));
    if (stale.length > 0) await index.remove(stale);
    const fresh = passages.filter(({ id }) => !kept.has(id));
    if (fresh.length > 0) {
      await index.add(fresh, {
        signal, onProgress: ({ type, done, total }) => tell(type === "add" ? strings.indexing(done, total) : strings.embedding(done, total), done / total),
      });
    }
    const ready = performance.now();
    const found = await index.search(query, { mode, top, signal });
    return { found, passages: passages.length, indexMs: ready - begun, searchMs: performance.now() - ready };
  }

  async #passages(signal: AbortSignal): Promise<Passage[]> {
    const all: Passage[] = [];
    const pages = new Map<string, Page>();
    for (const [place, page] of this.#library.pages.entries()) {
      let own = this.#cut.get(page);
      if (!own) {
        this.#cut.set(page, own = passagesOf(page));
        if (place % PORTION === PORTION - 1) await new Promise((resolve) => { setTimeout(resolve); });
        signal.throwIfAborted();
      }
      for (const passage of own) if (!pages.has(passage.id)) {
        pages.set(passage.id, page);
        all.push(passage);
      }
    }
    this.#pages = pages;
    return all;
  }

  #open(dense: boolean, doing: Doing & { tell: Tell }): Promise<Index<Passage>> {
    const known = this.#indexes.get(dense);
    if (known) return known;
    const opened = (async () => {
      const { signal, tell } = doing;
      const options = { stemming: "english", signal, onProgress: ({ done, total }: { done: number; total: number }) => tell(strings.embedding(done, total), done / total) } as const;
      if (!dense) return Index.open<Passage>({ name: "demo", ...options });
      const embedder = await this.#model.startEmbedder(doing);
      return Index.open<Passage>({ name: `demo-${EMBEDDER}`, embedder, ...options });
    })();
    this.#indexes.set(dense, opened);
    opened.catch(() => this.#indexes.delete(dense));
    return opened;
  }
}
