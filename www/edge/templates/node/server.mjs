// A rerank server on Node: `MODEL=path/to/model PORT=8000 node server.mjs`. MODEL is a folder with a model.json, as `foliorank models`
// writes them. Tokens that may call: `TOKENS=a,b`. Requests that may wait: `QUEUE=16`. The model is loaded before the port opens.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { createHandler } from "foliorank/edge";
import { Reranker } from "foliorank/main-thread";
import * as glue from "foliorank/wasm/cpu/foliorank.js";

const { MODEL, PORT = "8000", HOST = "127.0.0.1", TOKENS, QUEUE = "16" } = process.env;
if (!MODEL) throw new Error("set MODEL to a folder with a model.json");

const manifest = await readFile(join(MODEL, "model.json"), "utf8");
const { tokenizer, weights } = JSON.parse(manifest).files;
const read = async ({ path }) => new Uint8Array(await readFile(join(MODEL, path)));
const wasm = await readFile(createRequire(import.meta.url).resolve("foliorank/wasm/cpu/foliorank_bg.wasm"));

const reranker = await Reranker.load({
  wasm: { glue, module: await WebAssembly.compile(wasm), variant: "cpu" },
  files: { manifest, tokenizer: await read(tokenizer), weights: await read(weights) },
});
const handler = createHandler({ reranker, limits: { queue: Number(QUEUE) }, ...(TOKENS ? { auth: TOKENS.split(",") } : {}) });
const server = serve({ fetch: handler, port: Number(PORT), hostname: HOST }, ({ port }) => console.log(`listening on http://${HOST}:${port}`));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => server.close(() => process.exit(0)));
