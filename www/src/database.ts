// IndexedDB as promises: connections that come back, transactions that store all or nothing.
import { RerankError } from "./errors.js";

export interface Schema<S extends string> {
  name: string;
  /** Of what is stored; IndexedDB keeps it, and refuses to open what a later version has written. */
  version: number;
  stores: readonly S[];
  /** The error for what went wrong, by the kind and the message of IndexedDB's own. */
  failed: (kind: string, message: string, cause: unknown) => RerankError;
}

export const requested = <T>(request: IDBRequest<T>): Promise<T> => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error ?? new Error("the request failed"));
});

export class Database<S extends string> {
  readonly #schema: Schema<S>;
  #open: Promise<IDBDatabase> | undefined;

  constructor(schema: Schema<S>) {
    this.#schema = schema;
  }

  /**
   * Runs `work` in one transaction: all of it is stored or nothing. It must await nothing but requests of this transaction.
   * Rejects with a RerankError.
   */
  async transact<T>(mode: "readonly" | "readwrite", stores: readonly S[], work: (store: (name: S) => IDBObjectStore) => Promise<T>, options?: IDBTransactionOptions): Promise<T> {
    try {
      const transaction = await this.#begin(mode, stores, options);
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
      if (error instanceof RerankError) throw error;
      const { name = "", message = String(error) } = (error ?? {}) as { name?: string; message?: string };
      throw this.#schema.failed(name, message, error);
    }
  }

  close(): void {
    const open = this.#open;
    this.#open = undefined;
    open?.then((database) => database.close(), () => undefined);
  }

  async #begin(mode: "readonly" | "readwrite", stores: readonly S[], options: IDBTransactionOptions | undefined): Promise<IDBTransaction> {
    const begin = async (): Promise<IDBTransaction> => (await (this.#open ??= this.#connect())).transaction([...stores], mode, options);
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
    const { name, version, stores } = this.#schema;
    const connected = new Promise<IDBDatabase>((resolve, reject) => {
      if (!indexedDB) throw new RerankError("storage", "there is no IndexedDB here to keep anything in");
      const request = indexedDB.open(name, version);
      request.onupgradeneeded = () => {
        for (const store of stores) request.result.createObjectStore(store);
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
