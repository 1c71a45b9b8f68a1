// One file over HTTP: streamed with progress, its byte count checked, resumed once where the connection broke.
// It does not look at the content: sha256 is checked in WASM, next to the code that trusts the bytes.
import { aborted, RerankError } from "./errors.js";

export interface Download {
  url: string;
  /** For messages. */
  file: string;
  /** Exact size. Absent: unknown, at most `MOST_UNKNOWN`. */
  bytes?: number;
  signal?: AbortSignal | undefined;
  /** HTTP cache behaviour of the browser. */
  httpCache?: RequestCache;
  onProgress?: ((loaded: number, total: number) => void) | undefined;
}

const MOST_UNKNOWN = 1 << 20;
const RETRY_AFTER_MS = 300;

/** What arrived so far. */
interface State {
  buffer: Uint8Array<ArrayBuffer>;
  loaded: number;
  etag: string | null;
  /** Byte positions of a compressed answer are not positions in the file. */
  encoded: boolean;
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Whether a 206 answer continues exactly where we stopped. */
function continues(response: Response, state: State): boolean {
  const range = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "");
  const etag = response.headers.get("etag");
  // Content-Range is not readable across origins unless exposed; sha256 is the last word either way.
  const inPlace = range ? Number(range[1]) === state.loaded : true;
  return inPlace && (etag === null || state.etag === null || etag === state.etag);
}

/** One request; fills `state` and returns true when the file is complete. Throws only what a retry cannot mend. */
async function attempt(download: Download, state: State): Promise<boolean> {
  const { url, file, bytes, signal } = download;
  const resume = state.loaded > 0 && !state.encoded;
  if (!resume) state.loaded = 0;
  let response: Response;
  try {
    response = await fetch(url, {
      ...(resume ? { headers: { range: `bytes=${state.loaded}-` } } : {}),
      ...(signal ? { signal } : {}),
      cache: resume ? "no-store" : (download.httpCache ?? "default"),
    });
  } catch {
    return false;
  }
  if (!response.ok) {
    await response.body?.cancel().catch(() => undefined);
    if (resume && response.status === 416) return false;
    throw new RerankError("download", `${file}: the server answered ${response.status} for ${url}`);
  }
  if (response.status === 206 && resume && !continues(response, state)) {
    await response.body?.cancel().catch(() => undefined);
    throw new RerankError("download", `${file} changed on the server while it was being downloaded`);
  }
  if (response.status !== 206) state.loaded = 0;
  state.etag = response.headers.get("etag");
  state.encoded = response.headers.get("content-encoding") !== null;

  const reader = response.body?.getReader();
  try {
    for (;;) {
      const { done, value } = reader ? await reader.read() : { done: true, value: undefined };
      if (done || !value) break;
      if (state.loaded + value.length > (bytes ?? MOST_UNKNOWN)) {
        await reader?.cancel().catch(() => undefined);
        throw new RerankError("download", `${file} is larger than expected: more than ${bytes ?? MOST_UNKNOWN} bytes`);
      }
      if (state.loaded + value.length > state.buffer.length) {
        const grown = new Uint8Array(Math.max(state.buffer.length * 2, state.loaded + value.length));
        grown.set(state.buffer.subarray(0, state.loaded));
        state.buffer = grown;
      }
      state.buffer.set(value, state.loaded);
      state.loaded += value.length;
      download.onProgress?.(state.loaded, bytes ?? state.loaded);
    }
  } catch (error) {
    if (error instanceof RerankError) throw error;
    return false;
  }
  return bytes === undefined || state.loaded === bytes;
}

/** Fetches the file. Rejects with `download` (network, HTTP status, size) or `aborted`. */
export async function download(request: Download): Promise<Uint8Array<ArrayBuffer>> {
  const { file, bytes, signal } = request;
  const state: State = { buffer: new Uint8Array(bytes ?? 16_384), loaded: 0, etag: null, encoded: false };
  for (const retry of [false, true]) {
    if (retry) await wait(RETRY_AFTER_MS);
    if (signal?.aborted) throw aborted(`downloading ${file}`, signal);
    const complete = await attempt(request, state).catch((error: unknown) => {
      throw signal?.aborted ? aborted(`downloading ${file}`, signal) : error;
    });
    if (complete) return state.buffer.length === state.loaded ? state.buffer : state.buffer.slice(0, state.loaded);
  }
  if (signal?.aborted) throw aborted(`downloading ${file}`, signal);
  throw new RerankError("download", state.loaded > 0
    ? `${file}: ${state.loaded} of ${bytes ?? "unknown"} bytes arrived, also after a second try: ${request.url}`
    : `${file} could not be downloaded, also not at a second try: ${request.url}`);
}
