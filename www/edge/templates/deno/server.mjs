// A rerank server on Deno, on WebGPU where there is an adapter: `MODEL=path/to/model PORT=8000 deno task start`. MODEL is a folder with a
// model.json, as `foliorank models` writes them. `DEVICE=cpu` or `webgpu` asks for one, otherwise the faster is kept.
// Tokens that may call: `TOKENS=a,b`. Requests that may wait: `QUEUE=16`.
import { createHandler } from "foliorank/edge";
import { Reranker } from "foliorank/main-thread";
import * as glue from "foliorank/wasm/gpu/foliorank.js";

const folder = Deno.env.get("MODEL");
if (!folder) throw new Error("set MODEL to a folder with a model.json");
const tokens = Deno.env.get("TOKENS");

const manifest = await Deno.readTextFile(`${folder}/model.json`);
const { tokenizer, weights } = JSON.parse(manifest).files;
const wasm = await Deno.readFile(new URL(import.meta.resolve("foliorank/wasm/gpu/foliorank_bg.wasm")));

const reranker = await Reranker.load({
  device: Deno.env.get("DEVICE") ?? "auto",
  wasm: { glue, module: await WebAssembly.compile(wasm), variant: "gpu" },
  files: { manifest, tokenizer: await Deno.readFile(`${folder}/${tokenizer.path}`), weights: await Deno.readFile(`${folder}/${weights.path}`) },
});
console.log(reranker.info.device.reason);
const limits = { queue: Number(Deno.env.get("QUEUE") ?? 16) };
const handler = createHandler({ reranker, limits, ...(tokens ? { auth: tokens.split(",") } : {}) });
Deno.serve({ port: Number(Deno.env.get("PORT") ?? 8000), hostname: Deno.env.get("HOST") ?? "127.0.0.1" }, handler);
