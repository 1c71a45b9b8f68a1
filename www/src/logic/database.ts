// IndexedDB as promises, and its failures as RerankErrors: `storage`, saying what to do. Used in the logic worker.
import { RerankError } from "../errors.js";

/** The version of what is stored; IndexedDB keeps it, and refuses to open what a later version has written. */
const SCHEMA = 1;
const PREFIX = "foliorank-index:";

export const STORES = ["meta", "ids", "documents", "vectors", "bm25"] as const;
export type StoreName = (typeof STORES)[number];

function explained(cause: unknown, name: string): RerankError {
  if (cause instanceof RerankError) return cause;
  const { name: kind = "", message = String(cause) } = (cause ?? {}) as { name?: string; message?: string };
  const storage = (what: string): RerankError => new RerankError("storage", `index "${name}": ${what}`, { cause });
  switch (kind) {
    case "QuotaExceededError":
      return storage("the browser gives this site no more space; what was stored before is kept. Remove documents, or ask for persistent storage");
    case "VersionError":
      return storage("it was written by a newer version of foliorank; load that version, or delete the index");
    default:
      return storage(message);
  }
}

export const requested = <T>(request: IDBRequest<T>): Promise<T> => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error ?? new Error("the request failed"));
});

export class Database {
  readonly name: string;
  #open: Promise<IDBDatabase> | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /**
   * Runs `work` in one transaction: all of it is stored or nothing. It must await nothing but requests of this transaction.
   * Rejects with a RerankError.
   */
  async transact<T>(mode: "readonly" | "readwrite", stores: readonly StoreName[], work: (store: (name: StoreName) => IDBObjectStore) => Promise<T>): Promise<T> {
    try {
      const transaction = await this.#begin(mode, stores);
      const done = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error ?? new Error("the transaction was aborted"));
      });
      // Waited for below, also where the work fails first.
      done.catch(() => undefined);
      try {
        const result = await work((name) => transaction.objectStore(name));
        await done;
        return result;
      } catch (error) {
        try {
          transaction.abort();
        } catch {
          // It is over already; why, it says itself.
          await done;
        }
        throw error;
      }
    } catch (error) {
      throw explained(error, this.name);
    }
  }

  close(): void {
    const open = this.#open;
    this.#open = undefined;
    open?.then((database) => database.close(), () => undefined);
  }

  async #begin(mode: "readonly" | "readwrite", stores: readonly StoreName[]): Promise<IDBTransaction> {
    const begin = async (): Promise<IDBTransaction> => (await (this.#open ??= this.#connect())).transaction([...stores], mode);
    try {
      return await begin();
    } catch (error) {
      // The browser, or another page, closed the connection.
      if ((error as Error | null)?.name !== "InvalidStateError") throw error;
      this.#open = undefined;
      return begin();
    }
  }

  #connect(): Promise<IDBDatabase> {
    const { indexedDB } = globalThis as { indexedDB?: IDBFactory };
    const connected = new Promise<IDBDatabase>((resolve, reject) => {
      if (!indexedDB) throw new RerankError("storage", "there is no IndexedDB here to keep an index in");
      const request = indexedDB.open(PREFIX + this.name, SCHEMA);
      request.onupgradeneeded = () => {
        for (const store of STORES) request.result.createObjectStore(store);
      };
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const database = request.result;
        // Another page deletes it or brings a newer version: do not stand in its way.
        const forget = (): void => { this.#open = undefined; };
        database.onversionchange = () => {
          forget();
          database.close();
        };
        database.onclose = forget;
        resolve(database);
      };
    });
    connected.catch(() => { this.#open = undefined; });
    return connected;
  }
}
