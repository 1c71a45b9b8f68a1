// What this page keeps in this browser: models, its own files, and how much the browser says that is. Can be cleared, and filled for
// times without a network.
import { say } from "../announce.js";
import { chosen } from "../choices.js";
import { byId, make, makeButton } from "../dom.js";
import { LIBRARY, LibraryStore } from "../library/store.js";
import type { Model } from "../model.js";
import { canWorkOffline, keepEverything } from "../offline.js";
import { strings } from "../strings.js";

/** Of this page and of the package; others' caches and databases are left alone. */
const OURS = "foliorank";
const INDEX = "foliorank-index:";

interface Entry {
  cache: string;
  url: URL;
  bytes: number;
}

async function entries(): Promise<Entry[]> {
  if (!("caches" in globalThis)) return [];
  const found: Entry[] = [];
  for (const cache of (await caches.keys()).filter((name) => name.startsWith(OURS))) {
    const open = await caches.open(cache);
    for (const request of await open.keys()) {
      const response = await open.match(request);
      const bytes = Number(response?.headers.get("content-length") ?? 0);
      found.push({ cache, url: new URL(request.url), bytes });
    }
  }
  return found;
}

/** Indexes of the library, and answers of language models. Their size is only in the browser's sum. */
async function databases(): Promise<string[]> {
  const all = await indexedDB.databases?.() ?? [];
  return all.flatMap(({ name }) => (name?.startsWith(OURS) ? name : []));
}

const forget = (name: string): Promise<void> => new Promise((resolve) => {
  if (name === LIBRARY) LibraryStore.unmark();
  const request = indexedDB.deleteDatabase(name);
  // One that another tab holds open goes when that tab does.
  for (const event of ["success", "error", "blocked"]) request.addEventListener(event, () => resolve());
});

const databaseName = (name: string): string => (name === LIBRARY ? strings.storedLibrary
  : name.startsWith(INDEX) ? strings.storedIndex(name.slice(INDEX.length)) : strings.storedAnswers);

const isModel = ({ cache }: Entry): boolean => cache === "foliorank-v1";
/** The folder is the model's name. */
const modelOf = ({ url }: Entry): string => decodeURIComponent(url.pathname.split("/").at(-2) ?? url.pathname);

export class StoragePanel {
  readonly #model: Model;
  readonly #list = byId("storage-list");
  readonly #note = byId("storage-note");
  #busy: AbortController | undefined;

  constructor(model: Model) {
    this.#model = model;
    byId("storage-clear").addEventListener("click", () => void (async () => {
      for (const name of await databases()) await forget(name);
      await this.#clear(() => true);
    })());
    byId("offline-all").addEventListener("click", () => void this.#fill());
    byId("offline-all").hidden = !canWorkOffline();
  }

  async refresh(): Promise<void> {
    const [found, stored, estimate] = await Promise.all([
      entries().catch(() => []), databases().catch(() => []), navigator.storage?.estimate?.().catch(() => undefined),
    ]);
    const groups = new Map<string, Entry[]>();
    for (const entry of found) {
      const name = isModel(entry) ? strings.storedModel(modelOf(entry)) : strings.storedPage;
      groups.set(name, [...groups.get(name) ?? [], entry]);
    }
    const item = (name: string, size: string, onClear: () => Promise<void>): HTMLElement => {
      const clear = makeButton("link", strings.clear, () => void onClear());
      clear.setAttribute("aria-label", strings.clearOne(name));
      return make("li", "stored", make("span", "stored-name", name), make("span", "stored-size", size), clear);
    };
    this.#list.replaceChildren(...[...groups].map(([name, own]) => {
      const bytes = own.reduce((sum, entry) => sum + entry.bytes, 0);
      return item(name, strings.storedSize(own.length, bytes), () => this.#clear((entry) => own.some(({ url }) => url.href === entry.url.href)));
    }), ...stored.map((name) => item(
      databaseName(name), "",
      async () => {
        await forget(name);
        await this.#clear(() => false);
      },
    )));
    this.#note.textContent = found.length + stored.length === 0
      ? strings.storedNothing
      : strings.storedAll(estimate?.usage, estimate?.quota);
    byId<HTMLButtonElement>("storage-clear").disabled = found.length + stored.length === 0;
  }

  async #clear(which: (entry: Entry) => boolean): Promise<void> {
    for (const entry of (await entries()).filter(which)) await (await caches.open(entry.cache)).delete(entry.url, { ignoreVary: true });
    say(strings.cleared);
    await this.refresh();
  }

  /** Everything that the page can need, the chosen model included. A second click stops it. */
  async #fill(): Promise<void> {
    const button = byId<HTMLButtonElement>("offline-all");
    if (this.#busy) {
      this.#busy.abort();
      return;
    }
    const controller = new AbortController();
    const { signal } = controller;
    this.#busy = controller;
    button.textContent = strings.cancel;
    const tell = (text: string): void => { byId("offline-note").textContent = text; };
    try {
      tell(strings.offlineModel(chosen().model));
      await this.#model.start({ signal, onProgress: () => undefined });
      await keepEverything((share) => {
        signal.throwIfAborted();
        tell(strings.offlineShare(share));
      });
      tell(strings.offlineDone);
    } catch (error) {
      tell(signal.aborted ? strings.cancelled : strings.failed((error as Error).message));
    } finally {
      this.#busy = undefined;
      button.textContent = strings.offlineAll;
      await this.refresh();
    }
  }
}
