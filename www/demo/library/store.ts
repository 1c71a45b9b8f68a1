// The documents of the library in this browser's IndexedDB, so that they are there at the next visit: the text of their pages, and what
// their pictures are drawn from where there is room for it. One document is one record and one transaction: it is there or it is not,
// whenever the tab is closed. Nothing is stored before the library is first changed.
import type { Source } from "../pages.js";
import { picturesFrom, type KeptPictures } from "../read/kept-pictures.js";
import { sampleSource } from "./samples.js";

/** The database, and beside it the mark that there is one: it is read before the page is first shown. */
export const LIBRARY = "foliorank-library";
const VERSION = 1;
const STORE = "documents";
/** Originals that are larger are not kept, only their text. */
const MOST_ORIGINAL_BYTES = 64 << 20;

interface Stored extends Pick<Source, "name" | "kind"> {
  sample: boolean;
  /** It comes with the page, and so does its text. */
  builtIn: boolean;
  pages: { text: string; label: string; ratio?: number }[];
  pictures?: KeptPictures;
}

/** `text`: without its pictures. `full`: no room. */
export type Kept = "all" | "text" | "full" | "failed";

const requested = <T>(request: IDBRequest<T>): Promise<T> => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

export class LibraryStore {
  readonly #keys = new Map<Source, number>();
  #open: Promise<IDBDatabase> | undefined;
  /** One after the other, so that what is removed at once is not kept afterwards. */
  #last: Promise<unknown> = Promise.resolve();

  /** Whether documents were kept at an earlier visit. */
  static get holds(): boolean {
    try {
      return localStorage.getItem(LIBRARY) !== null;
    } catch {
      return false;
    }
  }

  /** The database is gone, or goes. */
  static unmark(): void {
    try {
      localStorage.removeItem(LIBRARY);
    } catch {
      // Then there is no mark either.
    }
  }

  /**
   * What was kept, one document after the other, until the signal; gives how many were left then. Rejects when it cannot be read.
   */
  async read(onRead: (source: Source, done: number, total: number) => void, signal: AbortSignal): Promise<number> {
    const keys = await this.#transact("readonly", (store) => requested(store.getAllKeys())) as number[];
    for (const [place, key] of keys.entries()) {
      const stored = signal.aborted ? undefined : await this.#transact("readonly", (store) => requested(store.get(key) as IDBRequest<Stored | undefined>));
      // A large one takes its time, and must not come when nobody waits for it any more.
      if (signal.aborted) return keys.length - place;
      // Another tab has removed it since.
      if (!stored) continue;
      const source = restored(stored);
      this.#keys.set(source, key);
      onRead(source, place + 1, keys.length);
    }
    return 0;
  }

  /** Never rejects. */
  keep(source: Source): Promise<Kept> {
    return this.#inTurn(async () => {
      const { pictures, ...text } = stored(source);
      try {
        await this.#put(source, pictures ? { ...text, pictures } : text);
        return pictures || !source.pictures ? "all" : "text";
      } catch (error) {
        // Without its pictures there may be room, or the file that they are in has changed.
        if (pictures && await this.#put(source, text).then(() => true, () => false)) return "text";
        return (error as Error | null)?.name === "QuotaExceededError" ? "full" : "failed";
      }
    });
  }

  /** Never rejects: what cannot be removed now can be removed at the next visit. */
  drop(source: Source): Promise<void> {
    return this.#inTurn(async () => {
      const key = this.#keys.get(source);
      this.#keys.delete(source);
      // The sample may never have been kept; that it is gone is worth keeping.
      mark();
      if (key !== undefined) await this.#transact("readwrite", (store) => requested(store.delete(key))).catch(() => undefined);
    });
  }

  async #put(source: Source, record: Stored): Promise<void> {
    const key = await this.#transact("readwrite", (store) => requested(store.add(record)));
    this.#keys.set(source, key as number);
    mark();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #transact<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => Promise<T>): Promise<T> {
    const transaction = (await this.#connect()).transaction(STORE, mode);
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("the transaction was aborted"));
    });
    done.catch(() => undefined);
    try {
      return await work(transaction.objectStore(STORE));
    } finally {
      // No room is found out only now.
      await done;
    }
  }

  #connect(): Promise<IDBDatabase> {
    return this.#open ??= new Promise<IDBDatabase>((resolve, reject) => {
      const forget = (): void => { this.#open = undefined; };
      const request = indexedDB.open(LIBRARY, VERSION);
      request.onupgradeneeded = () => { request.result.createObjectStore(STORE, { autoIncrement: true }); };
      request.onerror = () => {
        forget();
        reject(request.error);
      };
      request.onsuccess = () => {
        const database = request.result;
        // Settings, or another tab, deletes it: do not stand in its way.
        database.onversionchange = () => {
          forget();
          database.close();
        };
        database.onclose = forget;
        resolve(database);
      };
    });
  }
}

function mark(): void {
  try {
    localStorage.setItem(LIBRARY, "kept");
  } catch {
    // The next visit begins with the sample, then.
  }
}

function stored({ name, kind, pages, pictures, sample = false, builtIn = false }: Source): Stored {
  return {
    name, kind, sample, builtIn,
    pages: builtIn ? [] : pages.map(({ text, label, picture }) => ({ text, label, ...(picture ? { ratio: picture.ratio } : {}) })),
    ...(pictures && pictures.original.size <= MOST_ORIGINAL_BYTES ? { pictures } : {}),
  };
}

function restored({ name, kind, pages, pictures, sample, builtIn }: Stored): Source {
  if (builtIn) return sampleSource();
  const drawn = pictures && picturesFrom(pictures);
  return {
    name, kind, sample,
    pages: pages.map(({ text, label, ratio }, place) => ({
      file: name, label, text, ...(drawn && ratio !== undefined ? { picture: drawn.page(place, ratio) } : {}),
    })),
    ...(pictures && drawn ? { pictures, close: () => drawn.close() } : {}),
  };
}
