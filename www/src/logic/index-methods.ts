// What Index asks of the logic worker: each method is given the index by name, so that a worker that starts anew knows nothing less.
// Texts become vectors on the page, where the embedder is, and outside of any transaction, because that takes its time.
import { aborted, RerankError } from "../errors.js";
import type { IndexDocument, IndexProgress, SearchMode, Stemming } from "../search-types.js";
import type { Embedding } from "../strategy-types.js";
import { requested } from "../database.js";
import type { LogicGlue } from "./glue.js";
import type { Context } from "./methods.js";
import { missing, StoredIndex, type Meta } from "./stored-index.js";
import { join, kindOf, split, type TextVector, type VectorKind } from "../vectors.js";

/** Which index, and whose vectors it is to have: none where there is no embedder. */
export interface Which {
  name: string;
  model: string | undefined;
}

export interface Found {
  document: IndexDocument;
  score: number;
  bm25: number;
  vectors: number;
  kind: VectorKind;
}

/** Documents embedded in one ask. */
const BATCH = 64;
const open = new WeakMap<LogicGlue, Map<string, StoredIndex>>();

function stored({ glue }: Context, { name }: Which): StoredIndex {
  let indexes = open.get(glue);
  if (!indexes) open.set(glue, indexes = new Map());
  let index = indexes.get(name);
  if (!index) indexes.set(name, index = new StoredIndex(glue, name));
  return index;
}

/** Another page may have given the index to another model since. */
function checkModel(meta: Meta, { name, model }: Which): void {
  if (model === undefined || meta.model === model) return;
  throw new RerankError("invalid_argument", `embedder: index "${name}" has vectors of ${meta.model ?? "no model"}, found ${model}; open it again, and its vectors are made anew`);
}

async function embed(texts: string[], kind: "query" | "document", context: Context): Promise<TextVector[]> {
  return texts.length === 0 ? [] : split(await context.ask("embed", { texts, kind }) as Embedding, texts.length);
}

/** Gives a vector to every document that has none. */
async function fill(index: StoredIndex, which: Which, context: Context): Promise<void> {
  const without = await index.database.transact("readonly", ["documents", "vectors"], async (store) => {
    const [documents, vectors] = await Promise.all([requested(store("documents").getAllKeys()), requested(store("vectors").getAllKeys())]);
    return missing(documents as number[], vectors as number[]);
  });
  for (let from = 0; from < without.length; from += BATCH) {
    const numbers = without.slice(from, from + BATCH);
    const documents = await index.values<IndexDocument>("documents", numbers);
    const rows = await embed(documents.map((document) => document?.text ?? ""), "document", context);
    await index.change(async (store, meta) => {
      checkModel(meta, which);
      const there = await Promise.all(numbers.map((number) => requested(store("documents").getKey(number))));
      for (const [place, number] of numbers.entries()) if (there[place] !== undefined) store("vectors").put(rows[place], number);
    });
    const progress: IndexProgress = { type: "embed", done: from + numbers.length, total: without.length };
    if (!(await context.progress(progress))) throw aborted("the request");
  }
}

export const indexMethods = {
  "index.open": async (which: Which & { stemming: Stemming | undefined }, context: Context): Promise<void> => {
    const index = stored(context, which);
    await index.prepare(which.stemming);
    const { model } = which;
    if (model !== undefined) {
      await index.change(async (store, meta) => {
        if (meta.model === model) return;
        meta.model = model;
        store("vectors").clear();
      });
      await fill(index, which, context);
    }
    await index.follow(() => undefined, context.signal);
  },

  /** All of the documents, or none. */
  "index.add": async (which: Which & { documents: IndexDocument[] }, context: Context): Promise<void> => {
    // The last of those with one id counts.
    const documents = [...new Map(which.documents.map((document) => [document.id, document])).values()];
    const rows = which.model === undefined ? [] : await embed(documents.map(({ text }) => text), "document", context);
    if (context.signal.aborted) throw aborted("the request");
    await stored(context, which).change(async (store, meta) => {
      checkModel(meta, which);
      const before = await Promise.all(documents.map(({ id }) => requested(store("ids").get(id) as IDBRequest<number | undefined>)));
      for (const [place, document] of documents.entries()) {
        const number = meta.next++;
        const old = before[place];
        if (old !== undefined) {
          store("documents").delete(old);
          store("vectors").delete(old);
        }
        store("documents").put(document, number);
        store("ids").put(number, document.id);
        if (rows[place]) store("vectors").put(rows[place], number);
      }
    });
  },

  /** Brings memory up to date, so that the next search need not. */
  "index.follow": (which: Which, context: Context): Promise<void> => stored(context, which).follow(() => undefined, context.signal),

  "index.remove": ({ ids, ...which }: Which & { ids: string[] }, context: Context): Promise<number> => stored(context, which).change(async (store) => {
    const unique = [...new Set(ids)];
    const numbers = await Promise.all(unique.map((id) => requested(store("ids").get(id) as IDBRequest<number | undefined>)));
    let removed = 0;
    for (const [place, number] of numbers.entries()) {
      if (number === undefined) continue;
      removed += 1;
      store("ids").delete(unique[place] as string);
      store("documents").delete(number);
      store("vectors").delete(number);
    }
    return removed;
  }),

  "index.clear": (which: Which, context: Context): Promise<void> => stored(context, which).change(async (store) => {
    for (const name of ["ids", "documents", "vectors", "bm25"] as const) store(name).clear();
  }),

  "index.search": async (
    { query, top, mode, fusion, ...which }: Which & { query: string; top: number; mode: SearchMode; fusion: string }, context: Context,
  ): Promise<Found[]> => {
    if (query.trim() === "") return [];
    const index = stored(context, which);
    const own = join(mode === "bm25" ? [] : await embed([query], "query", context));
    const kind = kindOf(own);
    if (mode !== "bm25" && mode !== "hybrid" && mode !== kind) {
      throw new RerankError("invalid_argument", `mode: the embedder of index "${index.name}" gives ${kind} vectors, found "${mode}"`);
    }
    const { documents: numbers, scores, bm25, vectors } = await index.follow((native, meta) => {
      if (mode === "bm25") return native.search({ text: query, top, mode }, undefined, 0);
      checkModel(meta, which);
      return native.search({ text: query, top, mode: mode === "hybrid" ? fusion : "vectors" }, own.vectors, own.dimensions, own.lengths, own.ids);
    }, context.signal);
    const documents = await index.values<IndexDocument>("documents", numbers);
    // What another page has removed in this moment is left out.
    return documents.flatMap((document, place) => (document === undefined
      ? [] : [{ document, score: scores[place] as number, bm25: bm25[place] as number, vectors: vectors[place] as number, kind }]));
  },

  "index.size": (which: Which, context: Context): Promise<number> =>
    stored(context, which).database.transact("readonly", ["ids"], (store) => requested(store("ids").count())),

  "index.ids": (which: Which, context: Context): Promise<string[]> =>
    stored(context, which).database.transact("readonly", ["ids"], (store) => requested(store("ids").getAllKeys() as IDBRequest<string[]>)),

  "index.get": ({ id, ...which }: Which & { id: string }, context: Context): Promise<IndexDocument | undefined> =>
    stored(context, which).database.transact("readonly", ["ids", "documents"], async (store) => {
      const number = await requested(store("ids").get(id) as IDBRequest<number | undefined>);
      return number === undefined ? undefined : requested(store("documents").get(number) as IDBRequest<IndexDocument | undefined>);
    }),

  /** Gives back its memory. Any later call opens it again. */
  "index.close": async (which: Which, context: Context): Promise<void> => {
    stored(context, which).close();
    open.get(context.glue)?.delete(which.name);
  },
};
