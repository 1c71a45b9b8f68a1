// An index as it is stored and as it is in memory. Documents have numbers that are never used again, so two sets of numbers say what has
// changed, whoever changed it: another tab, or an earlier run of this one. Storage is the truth; memory follows it before each answer.
import { Database, requested } from "../database.js";
import { aborted, RerankError } from "../errors.js";
import type { IndexDocument, Stemming } from "../search-types.js";
import { join, type TextVector } from "../vectors.js";
import type { LogicGlue, NativeIndex } from "./glue.js";

/** The version of what is stored. */
const SCHEMA = 1;
const PREFIX = "foliorank-index:";
const STORES = ["meta", "ids", "documents", "vectors", "bm25"] as const;
type StoreName = (typeof STORES)[number];

/** Documents read at a time. */
const PAGE = 500;
/** Changes after which BM25 is stored again, at least; then a share of the documents, so that the cost stays in proportion. */
const SNAPSHOT_AFTER = 256;
const SNAPSHOT_SHARE = 1 / 4;

/** What is known of a stored index. */
export interface Meta {
  /** Another after the index was deleted and made anew. */
  epoch: string;
  /** Counts changes. */
  revision: number;
  /** The next document's number. */
  next: number;
  stemming: Stemming;
  /** Whose vectors are stored. */
  model: string | null;
}

export type Stores = (name: StoreName) => IDBObjectStore;
const META = "meta";
const BM25 = "bm25";

/** Numbers in `all` that are not in `known`; both ascending. */
export function missing(all: ArrayLike<number>, known: ArrayLike<number>): number[] {
  const found: number[] = [];
  let at = 0;
  for (let place = 0; place < all.length; place += 1) {
    const number = all[place] as number;
    while (at < known.length && (known[at] as number) < number) at += 1;
    if (known[at] !== number) found.push(number);
  }
  return found;
}

const readMeta = (store: Stores): Promise<Meta | undefined> => requested(store("meta").get(META) as IDBRequest<Meta | undefined>);
const keys = (store: IDBObjectStore): Promise<number[]> => requested(store.getAllKeys() as IDBRequest<number[]>);

/** What IndexedDB's failures mean for an index, and what to do. */
const failed = (index: string) => (kind: string, message: string, cause: unknown): RerankError => {
  const what = {
    QuotaExceededError: "the browser gives this site no more space; what was stored before is kept. Remove documents, or ask for persistent storage",
    VersionError: "it was written by a newer version of foliorank; load that version, or delete the index",
  }[kind] ?? message;
  return new RerankError("storage", `index "${index}": ${what}`, { cause });
};

export class StoredIndex {
  readonly name: string;
  readonly database: Database<StoreName>;
  readonly #glue: LogicGlue;
  #native: NativeIndex | undefined;
  #meta: Meta | undefined;
  #stemming: Stemming | undefined;
  #changes = 0;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(glue: LogicGlue, name: string) {
    this.#glue = glue;
    this.name = name;
    this.database = new Database({ name: PREFIX + name, version: SCHEMA, stores: STORES, failed: failed(name) });
  }

  /** Makes the index if there is none, and checks that it is what is asked for. */
  async prepare(stemming: Stemming | undefined): Promise<void> {
    this.#stemming = stemming ?? this.#stemming;
    await this.database.transact("readwrite", ["meta", "documents"], async (store) => {
      const found = await readMeta(store);
      if (found && (stemming === undefined || found.stemming === stemming)) return;
      if (found && await requested(store("documents").count()) > 0) {
        throw new RerankError("invalid_argument", `stemming: index "${this.name}" was made with "${found.stemming}", found "${stemming}"; clear it first, or use another name`);
      }
      store("meta").put({ ...this.#fresh(), next: found?.next ?? 0, model: found?.model ?? null }, META);
    });
  }

  /** Changes what is stored, in one transaction. `change` may alter `meta`; it must await requests only. */
  change<T>(change: (store: Stores, meta: Meta) => Promise<T>): Promise<T> {
    return this.database.transact("readwrite", STORES, async (store) => {
      const meta = await readMeta(store) ?? this.#fresh();
      const result = await change(store, meta);
      meta.revision += 1;
      store("meta").put(meta, META);
      return result;
    });
  }

  /** What is in memory, once it is what is stored. One at a time; `use` must not wait for anything. */
  follow<T>(use: (native: NativeIndex, meta: Meta) => T, signal?: AbortSignal): Promise<T> {
    const turn = this.#tail.then(async () => {
      const { native, meta } = await this.#current(signal);
      const result = use(native, meta);
      await this.#snapshot(native);
      return result;
    });
    this.#tail = turn.catch(() => undefined);
    return turn;
  }

  close(): void {
    void this.#tail.then(() => {
      this.database.close();
      this.#native?.free();
      this.#native = undefined;
      this.#meta = undefined;
    });
  }

  /** Of an index that is made now. */
  #fresh(): Meta {
    return { epoch: `${Date.now()}-${Math.random()}`, revision: 0, next: 0, stemming: this.#stemming ?? "none", model: null };
  }

  async #current(signal?: AbortSignal): Promise<{ native: NativeIndex; meta: Meta }> {
    const known = this.#meta;
    let meta = await this.database.transact("readonly", ["meta"], readMeta);
    // Deleted by the reader or the browser since it was opened: it is empty then, not broken.
    if (!meta) meta = await this.change(async (_, fresh) => fresh);
    if (this.#native && known?.epoch === meta.epoch && known.revision === meta.revision) return { native: this.#native, meta };
    if (this.#native && known?.epoch !== meta.epoch) {
      this.#native.free();
      this.#native = undefined;
    }
    try {
      const native = this.#native ??= await this.#restore(meta);
      // As of now, in one glance: what comes after has another revision, and another turn.
      const stored = await this.database.transact("readonly", ["meta", "documents", "vectors"], async (store) => {
        const [meta, documents, vectors] = await Promise.all([readMeta(store), keys(store("documents")), keys(store("vectors"))]);
        return { meta: meta as Meta, documents, vectors };
      });
      if (known?.model !== stored.meta.model) native.forgetVectors();
      await this.#catchUp(native, stored, signal);
      this.#meta = stored.meta;
      return { native, meta: stored.meta };
    } catch (error) {
      // Half of the changes are in it: start over next time.
      this.#native?.free();
      this.#native = undefined;
      this.#meta = undefined;
      throw error;
    }
  }

  async #restore(meta: Meta): Promise<NativeIndex> {
    const state = await this.database.transact("readonly", ["bm25"], (store) => requested(store("bm25").get(BM25) as IDBRequest<Uint8Array | undefined>));
    if (state) {
      try {
        return this.#glue.SearchIndex.restore(state);
      } catch {
        // Of another version, or damaged: it is made again from the texts.
      }
    }
    return new this.#glue.SearchIndex(meta.stemming);
  }

  async #catchUp(native: NativeIndex, stored: { documents: number[]; vectors: number[] }, signal?: AbortSignal): Promise<void> {
    const known = native.documents();
    const gone = missing(known, stored.documents);
    const come = missing(stored.documents, known);
    if (gone.length > 0) native.remove(Uint32Array.from(gone));
    await this.#read("documents", come, signal, (numbers, documents: IndexDocument[]) => native.add(numbers, documents.map(({ text }) => text)));
    this.#changes += gone.length + come.length;

    let vectors = missing(stored.vectors, native.withVectors());
    const last = native.withVectors().at(-1) ?? -1;
    // Vectors are added in ascending order only; one that comes late has all of them read again.
    if (vectors.length > 0 && (vectors[0] as number) < last) {
      native.forgetVectors();
      vectors = stored.vectors;
    }
    await this.#read("vectors", vectors, signal, (numbers, each: TextVector[]) => {
      const { vectors, dimensions, lengths, ids } = join(each);
      native.addVectors(numbers, vectors, dimensions, lengths, ids);
    });
  }

  /** Reads values by ascending number, and hands them on in portions. One that is gone by now is left out. */
  async #read<V>(name: StoreName, numbers: number[], signal: AbortSignal | undefined, use: (numbers: Uint32Array, values: V[]) => void): Promise<void> {
    for (let from = 0; from < numbers.length; from += PAGE) {
      if (signal?.aborted) throw aborted("the request");
      const some = numbers.slice(from, from + PAGE);
      const values = await this.values<V>(name, some);
      const there = some.filter((_, place) => values[place] !== undefined);
      if (there.length > 0) use(Uint32Array.from(there), values.filter((value) => value !== undefined));
    }
  }

  /** Values of a store, by number, in their order. */
  values<V>(name: StoreName, numbers: ArrayLike<number>): Promise<(V | undefined)[]> {
    return this.database.transact("readonly", [name], (store) =>
      Promise.all(Array.from(numbers, (number) => requested(store(name).get(number) as IDBRequest<V | undefined>))));
  }

  /** Stores BM25 when enough has changed. Only speed depends on it, so a failure is none. */
  async #snapshot(native: NativeIndex): Promise<void> {
    if (this.#changes < Math.max(SNAPSHOT_AFTER, native.documents().length * SNAPSHOT_SHARE)) return;
    this.#changes = 0;
    try {
      const state = native.state();
      await this.database.transact("readwrite", ["bm25"], async (store) => { store("bm25").put(state, BM25); });
    } catch (error) {
      if (!(error instanceof RerankError)) throw error;
    }
  }
}
