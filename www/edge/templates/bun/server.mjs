// A rerank server on Bun, on the CPU: `MODEL=path/to/model PORT=8000 bun server.mjs`. MODEL is a folder with a model.json, as
// `foliorank models` writes them. Tokens that may call: `TOKENS=a,b`. The model is loaded before the port opens.
import { createHandler } from "foliorank/edge";
import { Reranker } from "foliorank/main-thread";
import * as glue from "foliorank/wasm/cpu/foliorank.js";

const { MODEL, PORT = "8000", HOST = "127.0.0.1", TOKENS } = process.env;
if (!MODEL) throw new Error("set MODEL to a folder with a model.json");

const bytesOf = (path) => Bun.file(path).bytes();
const manifest = await Bun.file(`${MODEL}/model.json`).text();
const { tokenizer, weights } = JSON.parse(manifest).files;
const wasm = await bytesOf(Bun.fileURLToPath(import.meta.resolve("foliorank/wasm/cpu/foliorank_bg.wasm")));

const reranker = await Reranker.load({
  wasm: { glue, module: await WebAssembly.compile(wasm), variant: "cpu" },
  files: { manifest, tokenizer: await bytesOf(`${MODEL}/${tokenizer.path}`), weights: await bytesOf(`${MODEL}/${weights.path}`) },
});
const handler = createHandler({ reranker, ...(TOKENS ? { auth: TOKENS.split(",") } : {}) });
// Bun ends a silent connection after ten seconds; how long a request may take is the handler's business.
const server = Bun.serve({ port: Number(PORT), hostname: HOST, idleTimeout: 0, fetch: handler });
console.log(`listening on http://${HOST}:${server.port}`);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void server.stop().then(() => process.exit(0)));
