// Checks the arguments of Index before anything is posted: every complaint is `invalid_argument` and says what was found.
import type { AddOptions, IndexDocument, IndexOptions, SearchOptions } from "./search-types.js";
import { checkChoice, checkCount, checkFunction, checkObject, checkSignal, complain } from "./validate.js";

export function checkIndexOptions(options: IndexOptions): void {
  checkObject("options", options);
  const { name, embedder, stemming, signal, onProgress } = options;
  if (typeof name !== "string" || name.trim() === "") complain("name", "a name that is not blank", name);
  if (embedder !== undefined) {
    const { embed, info } = (embedder ?? {}) as { embed?: unknown; info?: { model?: unknown } };
    if (typeof embed !== "function" || typeof info?.model !== "string") complain("embedder", "an Embedder", embedder);
  }
  checkChoice("stemming", stemming, ["none", "english"]);
  checkSignal(signal);
  checkFunction("onProgress", onProgress);
}

export function checkAdd(documents: readonly IndexDocument[], { signal, onProgress }: AddOptions): void {
  if (!Array.isArray(documents)) complain("documents", "an array", documents);
  for (const [place, document] of documents.entries()) {
    const { id, text } = (document ?? {}) as { id?: unknown; text?: unknown };
    if (typeof id !== "string" || id === "") complain(`documents[${place}].id`, "a string that is not empty", id);
    if (typeof text !== "string") complain(`documents[${place}].text`, "a string", text);
  }
  checkSignal(signal);
  checkFunction("onProgress", onProgress);
}

export function checkIds(ids: readonly string[]): string[] {
  if (!Array.isArray(ids)) complain("ids", "an array of strings", ids);
  for (const [place, id] of ids.entries()) if (typeof id !== "string" || id === "") complain(`ids[${place}]`, "a string that is not empty", id);
  return [...ids];
}

export function checkSearch(query: unknown, options: SearchOptions): void {
  if (typeof query !== "string") complain("query", "a string", query);
  checkObject("options", options);
  checkCount("top", options.top, 1);
  checkChoice("mode", options.mode, ["bm25", "dense", "late", "sparse", "hybrid"]);
  if (options.fusion !== undefined && typeof options.fusion !== "string") complain("fusion", "the name of a fusion", options.fusion);
  checkSignal(options.signal);
}
