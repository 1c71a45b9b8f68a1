// Model files in the browser's Cache API, keyed by URL and sha256. Storage that is missing, full or broken never fails a load.
// Entries are checked for size here; their sha256 is checked in WASM, and the caller drops an entry that fails there.

// Change the name when the key or what is stored changes: old caches are then simply not found.
const CACHE_NAME = "foliorank-v1";
const SHA_PARAMETER = "foliorank-sha256";

export class FileCache {
  readonly #cache: Cache;

  private constructor(cache: Cache) {
    this.#cache = cache;
  }

  /** Null where there is no Cache API (plain http, Node, some private windows). */
  static async open(storage: CacheStorage | undefined = globalThis.caches): Promise<FileCache | null> {
    try {
      return storage ? new FileCache(await storage.open(CACHE_NAME)) : null;
    } catch {
      return null;
    }
  }

  static #key(url: string, sha256: string): string {
    const key = new URL(url);
    key.searchParams.set(SHA_PARAMETER, sha256);
    return key.href;
  }

  /** The stored bytes. An entry of another size is dropped and counts as absent. */
  async get(url: string, sha256: string, bytes?: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      const response = await this.#cache.match(FileCache.#key(url, sha256));
      if (!response) return undefined;
      const stored = new Uint8Array(await response.arrayBuffer());
      if (response.ok && (bytes === undefined || stored.length === bytes)) return stored;
    } catch {
      // Unreadable counts as wrong: drop it.
    }
    await this.drop(url, sha256);
    return undefined;
  }

  /** Stores, and forgets other versions of the same file. */
  async put(url: string, sha256: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      const key = FileCache.#key(url, sha256);
      for (const request of await this.#cache.keys()) {
        const other = new URL(request.url);
        other.searchParams.delete(SHA_PARAMETER);
        if (other.href === new URL(url).href && request.url !== key) await this.#cache.delete(request);
      }
      await this.#cache.put(key, new Response(bytes, { headers: { "content-length": String(bytes.length) } }));
    } catch {
      // Full or forbidden: the model still works, it is downloaded again next time.
    }
  }

  async drop(url: string, sha256: string): Promise<void> {
    await this.#cache.delete(FileCache.#key(url, sha256)).catch(() => false);
  }
}
