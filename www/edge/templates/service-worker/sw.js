// The rerank API inside the browser: pages of this origin `fetch("/v2/rerank", …)`, all tabs share one model, and no server is asked.
// A service worker cannot import at run time, so the WASM's script is imported here and its module handed in. Bundle it, put
// foliorank/wasm/cpu/foliorank_bg.wasm at /wasm/cpu/, and register it: `navigator.serviceWorker.register("/sw.js?model=/models/m/", { type: "module" })`.
import { createHandler } from "foliorank/edge";
import { Reranker } from "foliorank/main-thread";
import * as glue from "foliorank/wasm/cpu/foliorank.js";

const model = new URL(location.href).searchParams.get("model") ?? "/models/ms-marco-minilm-l12-v2/";
const paths = ["/rerank", "/v1/rerank", "/v2/rerank", "/health", "/v1/models"];

// Loaded by the first request, and again after the browser has ended a worker that had nothing to do: then from its cache.
const handler = createHandler({
  reranker: async () => Reranker.load({
    model, wasm: { glue, module: await WebAssembly.compileStreaming(fetch("/wasm/cpu/foliorank_bg.wasm")), variant: "cpu" },
  }),
});

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (origin === location.origin && paths.includes(pathname)) event.respondWith(handler(event.request));
});
