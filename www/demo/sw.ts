// The service worker: keeps the page's own files, so that it starts without a network. The network goes first, so that nobody is shown an
// old page by a new server; the kept copy answers when the network does not. Models are not its business: the package keeps them.

/** Not in the library of types that pages are checked against. */
interface Waiting extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Waiting {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
interface WorkerScope {
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
  readonly registration: { readonly scope: string };
  addEventListener(type: "install" | "activate", listener: (event: Waiting) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetching) => void): void;
}

/** What the page cannot start without, relative to this script; the build fills it in. */
declare const FILES: readonly string[];

const scope = globalThis as unknown as WorkerScope;
const CACHE = "foliorank-demo-v1";
/** Large, and kept by the package under their checksums. */
const MODELS = /\/(model\.safetensors|tokenizer\.json|model\.json)$/u;

const plain = (url: string): string => url.split(/[?#]/u)[0] ?? url;

async function put(request: Request, response: Response): Promise<void> {
  try {
    const cache = await caches.open(CACHE);
    const body = await response.arrayBuffer();
    const headers = new Headers(response.headers);
    // As unpacked: this is what Settings adds up.
    headers.delete("content-encoding");
    headers.set("content-length", String(body.byteLength));
    await cache.put(plain(request.url), new Response(body, { headers }));
  } catch {
    // Storage is full or forbidden: the page works all the same while there is a network.
  }
}

async function answer(event: Fetching): Promise<Response> {
  const { request } = event;
  try {
    const response = await fetch(request);
    // A redirected answer must not stand for the address that was asked.
    if (response.status === 200 && !response.redirected) event.waitUntil(put(request, response.clone()));
    return response;
  } catch (error) {
    const cache = await caches.open(CACHE);
    const url = plain(request.url);
    const kept = await cache.match(url.endsWith("/") ? `${url}index.html` : url);
    if (kept) return kept;
    throw error;
  }
}

scope.addEventListener("install", (event) => event.waitUntil((async () => {
  await Promise.all(FILES.map(async (file) => {
    const request = new Request(new URL(file, scope.registration.scope), { cache: "no-cache" });
    const response = await fetch(request);
    if (!response.ok) throw new Error(`${file}: ${response.status}`);
    await put(request, response);
  }));
  await scope.skipWaiting();
})()));

scope.addEventListener("activate", (event) => event.waitUntil((async () => {
  const old = (await caches.keys()).filter((name) => name.startsWith("foliorank-demo-") && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await scope.clients.claim();
})()));

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const ours = request.method === "GET" && request.url.startsWith(scope.registration.scope) && !request.headers.has("range");
  if (ours && !MODELS.test(new URL(request.url).pathname)) event.respondWith(answer(event));
});
