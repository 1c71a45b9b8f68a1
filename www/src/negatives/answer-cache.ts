// Answers of language models by request, in IndexedDB: a run that was interrupted goes on without paying twice. A key is the hash of all
// that decides an answer; neither side of it holds an API key.
import { Database, requested } from "../database.js";
import { RerankError } from "../errors.js";
import type { LlmAnswer } from "../llm.js";

export interface AnswerCache {
  get(key: string): Promise<LlmAnswer | null>;
  /** Resolves when the answer is kept for good. */
  put(key: string, answer: LlmAnswer): Promise<void>;
}

const STORE = "answers";

/** As long as it lives. */
export function memoryAnswers(): AnswerCache {
  const answers = new Map<string, LlmAnswer>();
  return {
    get: async (key) => answers.get(key) ?? null,
    put: async (key, answer) => { answers.set(key, answer); },
  };
}

/** In this origin's IndexedDB, in the database `name`. */
export function storedAnswers(name = "foliorank-answers"): AnswerCache & { clear(): Promise<void> } {
  const database = new Database({ name, version: 1, stores: [STORE], failed });
  const run = <T>(mode: "readonly" | "readwrite", ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> =>
    // What was paid for is on disk before the next question.
    database.transact(mode, [STORE], (store) => requested(ask(store(STORE))), { durability: "strict" });
  return {
    get: async (key) => (await run("readonly", (store) => store.get(key) as IDBRequest<LlmAnswer | undefined>)) ?? null,
    put: async (key, answer) => { await run("readwrite", (store) => store.put(answer, key)); },
    clear: async () => { await run("readwrite", (store) => store.clear()); },
  };
}

const failed = (_kind: string, message: string, cause: unknown): RerankError =>
  new RerankError("storage", `answers could not be kept: ${message}; free some space, or pass cache: false`, { cause });

let usual: AnswerCache | undefined;

/** IndexedDB where there is one, else memory. */
export const usualAnswers = (): AnswerCache => (usual ??= typeof indexedDB === "undefined" ? memoryAnswers() : storedAnswers());
