// Checks arguments before anything is posted to a worker: every complaint is `invalid_argument` and says what was found.
// Limits that depend on the model (its length, its vocabulary) are the engine's business, not this file's.
import { RerankError } from "./errors.js";
import { isFile } from "./file.js";
import type { EmbedOptions, LoadOptions, RerankDocument, RerankOptions } from "./types.js";

const describe = (value: unknown): string => {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "number" || typeof value === "boolean" || value === undefined) return String(value);
  return `a value of type ${typeof value}`;
};

export const complain = (name: string, expected: string, found: unknown): never => {
  throw new RerankError("invalid_argument", `${name} must be ${expected}, found ${describe(found)}`);
};

export function checkObject(name: string, value: unknown): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) complain(name, "an object", value);
}

/** An object without fields that nobody reads: a misspelt one would silently do nothing. */
function checkNames(name: string, value: unknown, known: readonly string[]): void {
  if (value === undefined) return;
  checkObject(name, value);
  const strange = Object.keys(value as object).find((field) => !known.includes(field));
  if (strange !== undefined) complain(`${name}.${strange}`, `one of ${known.join(", ")}`, (value as Record<string, unknown>)[strange]);
}

export function checkCount(name: string, value: unknown, least: number): void {
  // u32 is what crosses into WASM.
  if (value === undefined) return;
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > 0xffff_ffff) {
    complain(name, least === 0 ? "a whole number, 0 or more" : "a positive whole number", value);
  }
}

/** More workers than this are a mistake, not a wish. */
const MOST_THREADS = 64;

function checkThreads(value: unknown): void {
  if (value === undefined || value === "auto") return;
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > MOST_THREADS) {
    complain("threads", `"auto" or a whole number from 1 to ${MOST_THREADS}`, value);
  }
}

function checkBoolean(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "boolean") complain(name, "true or false", value);
}

export function checkSignal(value: unknown): void {
  if (value === undefined) return;
  const signal = value as Partial<AbortSignal> | null;
  if (typeof signal?.aborted !== "boolean" || typeof signal.addEventListener !== "function") {
    complain("signal", "an AbortSignal", value);
  }
}

export function checkFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "function") complain(name, "a function", value);
}

export function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (value !== undefined && !choices.includes(value as string)) {
    complain(name, `one of ${choices.map((choice) => JSON.stringify(choice)).join(", ")}`, value);
  }
}

/** Checks the options of `Reranker.load`. `model` may be absent when its files are handed in. */
export function checkLoadOptions(options: Partial<LoadOptions>, modelNeeded: boolean): void {
  checkObject("options", options);
  for (const name of ["model", "wasmUrl"] as const) {
    const value: unknown = options[name];
    if (value === undefined && (name === "wasmUrl" || !modelNeeded)) continue;
    if (!(value instanceof URL) && (typeof value !== "string" || value.trim() === "")) complain(name, "a URL", value);
  }
  checkChoice("device", options.device, ["auto", "webgpu", "cpu"]);
  checkChoice("cache", options.cache, ["default", "no-store", "only-if-cached"]);
  checkBoolean("worker", options.worker);
  checkThreads(options.threads);
  checkSignal(options.signal);
  checkFunction("onProgress", options.onProgress);
}

/** Options that say nothing without a strategy. */
const OF_STRATEGY = ["judge", "llm", "embedder", "pages", "anchors", "limits", "prune", "excerpt"] as const;

/** What can be told without WASM; it checks ranges, and names of strategies. */
function checkStrategy(documents: readonly unknown[], options: RerankOptions): void {
  const { strategy, judge, embedder, firstStage, fuse } = options;
  if (strategy !== undefined && typeof strategy !== "string") complain("strategy", "the name of a strategy", strategy);
  if (fuse !== undefined && typeof fuse !== "string") complain("fuse", "the name of a fusion", fuse);
  for (const name of OF_STRATEGY) {
    if (options[name] !== undefined && strategy === undefined) complain(name, "given with a strategy only", options[name]);
  }
  if (typeof judge === "object") {
    checkObject("judge", judge);
    if (typeof judge.judge !== "function") complain("judge.judge", "a function", judge.judge);
    if (judge.maxGroup === undefined) complain("judge.maxGroup", "a positive whole number", judge.maxGroup);
    checkCount("judge.maxGroup", judge.maxGroup, 1);
  } else checkFunction("judge", judge);
  checkFunction("llm", options.llm);
  if (embedder !== undefined && typeof (embedder as { embed?: unknown } | null)?.embed !== "function") complain("embedder", "an Embedder", embedder);
  if (options.pages !== undefined && !(Array.isArray(options.pages) && options.pages.length === documents.length && options.pages.every(isFile))) {
    complain("pages", `${documents.length} Blobs or Uint8Arrays, one a document`, options.pages);
  }
  checkNames("limits", options.limits, ["judgements", "calls", "tokens", "answerTokens", "parallel"]);
  for (const [name, value] of Object.entries(options.limits ?? {})) checkCount(`limits.${name}`, value, 0);
  checkNames("prune", options.prune, ["k", "alpha"]);
  checkCount("excerpt", options.excerpt, 1);
  if (firstStage === undefined) {
    if (fuse !== undefined) complain("firstStage", "given with fuse", firstStage);
    return;
  }
  const scores = Array.isArray(firstStage) || ArrayBuffer.isView(firstStage) ? Array.from(firstStage as ArrayLike<unknown>) : [];
  if (scores.length !== documents.length || !scores.every(Number.isFinite)) complain("firstStage", `${documents.length} finite numbers, one a document`, firstStage);
}

/** Checks the arguments of `rerank` and returns the documents' texts, in order. */
export function checkRerank(query: unknown, documents: readonly RerankDocument[], options: RerankOptions): string[] {
  if (typeof query !== "string") complain("query", "a string", query);
  if (!Array.isArray(documents)) complain("documents", "an array", documents);
  checkObject("options", options);
  checkCount("topN", options.topN, 1);
  checkCount("maxTokensPerDocument", options.maxTokensPerDocument, 1);
  checkCount("window", options.window, 1);
  checkCount("overlap", options.overlap, 0);
  if (options.window !== undefined && options.overlap !== undefined && options.overlap >= options.window) {
    complain("overlap", `less than window (${options.window})`, options.overlap);
  }
  checkStrategy(documents, options);
  checkBoolean("returnDocuments", options.returnDocuments);
  checkBoolean("rawScores", options.rawScores);
  checkSignal(options.signal);
  checkFunction("onProgress", options.onProgress);
  return Array.from(documents, (document: unknown, index) => {
    const text: unknown = typeof document === "string" ? document : (document as { text?: unknown } | null | undefined)?.text;
    if (typeof text !== "string") complain(`documents[${index}]`, "a string or an object with a string `text`", document);
    return text as string;
  });
}

/** Checks the arguments of `embed` and returns the texts. */
export function checkEmbed(texts: unknown, options: EmbedOptions): string[] {
  if (!Array.isArray(texts)) complain("texts", "an array of strings", texts);
  checkObject("options", options);
  checkChoice("kind", options.kind, ["query", "document"]);
  checkSignal(options.signal);
  checkFunction("onProgress", options.onProgress);
  return Array.from(texts as unknown[], (text, index) => {
    if (typeof text !== "string") complain(`texts[${index}]`, "a string", text);
    return text as string;
  });
}
