// A model's files: model.json, tokenizer and weights, from the Cache API or the network, as the cache option says.
// Only as much of model.json is read here as it takes to fetch the rest; WASM reads it strictly.
import { FileCache } from "./cache.js";
import { download } from "./download.js";
import { RerankError } from "./errors.js";
import type { CacheMode } from "./types.js";

export interface ManifestFile {
  path: string;
  bytes: number;
  sha256: string;
}

export interface Manifest {
  name: string;
  dimensions: { vocabulary: number; hidden: number; feed_forward: number };
  files: { tokenizer: ManifestFile; weights: ManifestFile };
}

/** model.json as text (what WASM gets), as data (what is needed here), and where it lies. */
export interface LoadedManifest {
  text: string;
  data: Manifest;
  url: string;
}

export interface ModelFile {
  bytes: Uint8Array<ArrayBuffer>;
  /** From the Cache API: a checksum failure then means the entry is bad, not the server's file. */
  cached: boolean;
  /** Settles when the file is stored, or when storing failed; never rejects. */
  stored: Promise<void>;
  /** Removes the stored copy. */
  drop(): Promise<void>;
  /** SHA-256 of the bytes, where the host computes it. */
  digest?: Promise<string | undefined>;
}

/**
 * SHA-256 in hexadecimal, by the host: on a thread of its own, and in half the time that WASM takes. Undefined where a page has no Web Crypto
 * (neither https nor localhost); WASM computes it then.
 */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string | undefined> {
  try {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  } catch {
    return undefined;
  }
}

export interface Source {
  cache: CacheMode;
  signal?: AbortSignal | undefined;
  onProgress?: (file: string, loaded: number, total: number, cached: boolean) => void;
}

// model.json has no known sha256; its newest copy is kept so that a page can start offline.
const NEWEST = "newest";

/** `folder`, `folder/` or `folder/model.json` -> the URL of model.json. */
export function manifestUrl(model: string | URL, base?: string): string {
  let url: URL;
  try {
    url = new URL(model, base);
  } catch {
    throw new RerankError("invalid_argument", `model must be a URL, found ${JSON.stringify(String(model))}`);
  }
  if (!url.pathname.endsWith(".json")) url.pathname = `${url.pathname.replace(/\/*$/, "/")}model.json`;
  return url.href;
}

function isFile(value: unknown): value is ManifestFile {
  const file = value as Partial<ManifestFile> | null | undefined;
  return typeof file?.path === "string" && Number.isSafeInteger(file.bytes) && (file.bytes as number) >= 0
    && typeof file.sha256 === "string";
}

/** Reads the few fields needed here. Rejects with `manifest`. */
export function parseManifest(text: string, url: string): Manifest {
  let data: Partial<Manifest> | null;
  try {
    data = JSON.parse(text) as Partial<Manifest> | null;
  } catch {
    throw new RerankError("manifest", `${url} is not JSON; is this the folder of a model?`);
  }
  const size = data?.dimensions;
  const sizes = [size?.vocabulary, size?.hidden, size?.feed_forward];
  if (typeof data?.name !== "string" || !isFile(data.files?.tokenizer) || !isFile(data.files?.weights)
    || !sizes.every((value) => Number.isSafeInteger(value))) {
    throw new RerankError("manifest", `${url} is not a model.json: it must have name, dimensions, files.tokenizer and files.weights`);
  }
  return data as Manifest;
}

const offline = (file: string): RerankError =>
  new RerankError("download", `${file} is not in the cache, and cache is "only-if-cached"`);

/** Gets model.json: the network first, the kept copy when the network is away. */
export async function loadManifest(url: string, source: Source): Promise<LoadedManifest> {
  const file = "model.json";
  const cache = source.cache === "no-store" ? null : await FileCache.open();
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  let cached = false;
  if (source.cache !== "only-if-cached") {
    try {
      bytes = await download({ url, file, signal: source.signal, httpCache: cache ? "no-cache" : "no-store" });
    } catch (error) {
      bytes = (error as RerankError).code === "download" ? await cache?.get(url, NEWEST) : undefined;
      if (!bytes) throw error;
      cached = true;
    }
  } else {
    bytes = await cache?.get(url, NEWEST);
    if (!bytes) throw offline(file);
    cached = true;
  }
  source.onProgress?.(file, bytes.length, bytes.length, cached);
  const text = new TextDecoder().decode(bytes);
  const data = parseManifest(text, url);
  if (!cached) await cache?.put(url, NEWEST, bytes);
  return { text, data, url };
}

/** Gets one file of the model. `fresh` skips every cache for reading: used after a checksum failure. */
export async function loadFile(entry: ManifestFile, manifest: string, source: Source, fresh = false): Promise<ModelFile> {
  const url = new URL(entry.path, manifest).href;
  const { path: file, bytes, sha256 } = entry;
  const cache = source.cache === "no-store" ? null : await FileCache.open();
  const drop = async (): Promise<void> => cache?.drop(url, sha256);
  const kept = fresh ? undefined : await cache?.get(url, sha256, bytes);
  if (kept) {
    source.onProgress?.(file, kept.length, bytes, true);
    return { bytes: kept, cached: true, stored: Promise.resolve(), drop };
  }
  if (source.cache === "only-if-cached") throw offline(file);
  source.onProgress?.(file, 0, bytes, false);
  const got = await download({
    url, file, bytes, signal: source.signal,
    // With our own cache at hand a second copy in the HTTP cache is waste, and after a checksum failure it may be the culprit.
    httpCache: cache || fresh || source.cache === "no-store" ? "no-store" : "default",
    onProgress: (loaded, total) => source.onProgress?.(file, loaded, total, false),
  });
  const stored = cache ? cache.put(url, sha256, got) : Promise.resolve();
  return { bytes: got, cached: false, stored, drop: async () => { await stored; await drop(); } };
}
