// The class callers hold for an index kept in this browser: checks arguments, cuts what is added into portions that cost the page's
// thread little, and answers the worker's asks with the embedder. What is stored, and how, is the logic worker's business.
import { aborted, RerankError } from "./errors.js";
import type { CallHooks, LogicClient } from "./logic/client.js";
import type { Found, Which } from "./logic/index-methods.js";
import type { Args, MethodName, Result } from "./logic/methods.js";
import { guarded } from "./reranker.js";
import type { AddOptions, IndexDocument, IndexEmbedder, IndexOptions, SearchOptions, SearchResult } from "./search-types.js";
import { embed, logicOf, type EmbedAsk } from "./strategies.js";
import { checkAdd, checkIds, checkIndexOptions, checkSearch } from "./validate-index.js";

/** Documents sent at a time, and characters of their texts: copying them is the page's own work. */
const PORTION = 200;
const PORTION_CHARACTERS = 500_000;

function* portions<D extends IndexDocument>(documents: readonly D[]): Generator<D[]> {
  let portion: D[] = [];
  let characters = 0;
  for (const document of documents) {
    if (portion.length > 0 && (portion.length === PORTION || characters + document.text.length > PORTION_CHARACTERS)) {
      yield portion;
      [portion, characters] = [[], 0];
    }
    portion.push(document);
    characters += document.text.length;
  }
  if (portion.length > 0) yield portion;
}

function toResult<D extends IndexDocument>({ document, score, bm25, vectors, kind }: Found, place: number): SearchResult<D> {
  const scores = { ...(Number.isNaN(bm25) ? {} : { bm25 }), ...(Number.isNaN(vectors) ? {} : { [kind]: vectors }) };
  return { id: document.id, score, rank: place + 1, document: document as D, scores };
}

export class Index<D extends IndexDocument = IndexDocument> {
  readonly #logic: LogicClient;
  readonly #which: Which;
  readonly #embedder: IndexEmbedder | undefined;
  #closed = false;

  private constructor(logic: LogicClient, which: Which, embedder: IndexEmbedder | undefined) {
    this.#logic = logic;
    this.#which = which;
    this.#embedder = embedder;
  }

  /**
   * Opens the index of that name, or makes it.
   * Rejects with a RerankError: `storage`, `invalid_argument` when it was made otherwise, `aborted`, ...
   */
  static async open<D extends IndexDocument = IndexDocument>(options: IndexOptions): Promise<Index<D>> {
    checkIndexOptions(options);
    const { name, embedder, stemming, signal, onProgress } = options;
    const index = new Index<D>(logicOf(options), { name, model: embedder?.info.model }, embedder);
    await index.#logic.call("index.open", { ...index.#which, stemming }, index.#hooks({ signal, onProgress: guarded(onProgress) }));
    return index;
  }

  /**
   * Stores documents; one with a known id replaces what had it. In portions: after a failure or an abort those before it are stored, and
   * adding all again is harmless. Rejects with `storage` when there is no more space.
   */
  async add(documents: readonly D[], options: AddOptions = {}): Promise<void> {
    checkAdd(documents, options);
    const { signal, onProgress } = options;
    const tell = guarded(onProgress);
    const total = documents.length;
    let done = 0;
    for (const portion of portions([...documents])) {
      if (signal?.aborted) throw aborted("the request", signal);
      await this.#call("index.add", { ...this.#which, documents: portion }, { signal });
      done += portion.length;
      tell?.({ type: "add", done, total });
    }
    await this.#call("index.follow", this.#which, { signal });
  }

  /** Removes documents and says how many were there. */
  async remove(ids: readonly string[]): Promise<number> {
    return this.#call("index.remove", { ...this.#which, ids: checkIds(ids) });
  }

  /** The best documents, best first. A blank query finds nothing. */
  async search(query: string, options: SearchOptions = {}): Promise<SearchResult<D>[]> {
    checkSearch(query, options);
    const { top = 10, mode = this.#embedder ? "hybrid" : "bm25", fusion = "rrf", signal } = options;
    if (mode !== "bm25" && !this.#embedder) throw new RerankError("invalid_argument", `mode "${mode}" needs an index that was opened with an embedder`);
    const found = await this.#call("index.search", { ...this.#which, query, top, mode, fusion }, { signal });
    return found.map((one, place) => toResult<D>(one, place));
  }

  /** Number of documents. */
  async size(): Promise<number> {
    return this.#call("index.size", this.#which);
  }

  async get(id: string): Promise<D | undefined> {
    const [checked] = checkIds([id]);
    return await this.#call("index.get", { ...this.#which, id: checked as string }) as D | undefined;
  }

  /** Every document's id, in their own order. */
  async ids(): Promise<string[]> {
    return this.#call("index.ids", this.#which);
  }

  /** Removes every document. */
  async clear(): Promise<void> {
    await this.#call("index.clear", this.#which);
  }

  /** Gives back memory; what is stored stays. Later calls reject with `invalid_argument`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await this.#call("index.close", this.#which);
    this.#closed = true;
  }

  #call<N extends MethodName>(method: N, args: Args<N>, hooks?: CallHooks): Promise<Result<N>> {
    if (this.#closed) return Promise.reject(new RerankError("invalid_argument", `index "${this.#which.name}" was closed`));
    return this.#logic.call(method, args, this.#hooks(hooks));
  }

  #hooks(hooks: CallHooks = {}): CallHooks {
    const embedder = this.#embedder;
    return embedder ? { ...hooks, answers: { embed: (asked: EmbedAsk, signal) => embed(embedder, asked, signal) } } : hooks;
  }
}
