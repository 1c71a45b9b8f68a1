// Answers of language models by request, in IndexedDB: a run that was interrupted goes on without paying twice. A key is the hash of all
// that decides an answer; neither side of it holds an API key.
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
  let database: Promise<IDBDatabase> | undefined;
  const open = (): Promise<IDBDatabase> => database ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => { request.result.createObjectStore(STORE); };
    request.onsuccess = () => {
      // Another tab may delete it; the next question opens it again.
      request.result.onversionchange = () => {
        request.result.close();
        database = undefined;
      };
      resolve(request.result);
    };
    request.onerror = () => {
      database = undefined;
      reject(failed(request.error));
    };
  });
  async function run<T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    const transaction = (await open()).transaction(STORE, mode, { durability: "strict" });
    return await new Promise<T>((resolve, reject) => {
      const request = ask(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(failed(transaction.error));
    });
  }
  return {
    get: async (key) => (await run("readonly", (store) => store.get(key) as IDBRequest<LlmAnswer | undefined>)) ?? null,
    put: async (key, answer) => { await run("readwrite", (store) => store.put(answer, key)); },
    clear: async () => { await run("readwrite", (store) => store.clear()); },
  };
}

const failed = (error: DOMException | null): RerankError =>
  new RerankError("storage", `answers could not be kept: ${error?.message ?? "unknown"}; free some space, or pass cache: false`, { cause: error });

let usual: AnswerCache | undefined;

/** IndexedDB where there is one, else memory. */
export const usualAnswers = (): AnswerCache => (usual ??= typeof indexedDB === "undefined" ? memoryAnswers() : storedAnswers());
