// The main-thread entry in Node: WASM and model bytes handed in, nothing fetched. No browser is used.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { assertCode } from "./page.mjs";
import { dist } from "./server.mjs";

const tiny = join(dirname(fileURLToPath(import.meta.url)), "../../models/tiny-cross-encoder");

async function host() {
  const [{ Reranker }, glue] = await Promise.all(
    ["main-thread.js", "wasm/cpu/foliorank.js"].map((path) => import(pathToFileURL(join(dist, path)).href)),
  );
  const manifest = readFileSync(join(tiny, "model.json"), "utf8");
  const bytes = (name) => new Uint8Array(readFileSync(join(tiny, JSON.parse(manifest).files[name].path)));
  return {
    Reranker,
    options: {
      wasm: { glue, module: await WebAssembly.compile(readFileSync(join(dist, "wasm/cpu/foliorank_bg.wasm"))), variant: "cpu" },
      files: { manifest, tokenizer: bytes("tokenizer"), weights: bytes("weights") },
    },
  };
}

const outcome = async (work) => {
  try {
    return { value: await work };
  } catch ({ code, message, name }) {
    return { code, message, name };
  }
};

test("a host without Worker ranks with what it was handed, and keeps its own documents", async () => {
  const { Reranker, options } = await host();
  const reranker = await Reranker.load({ ...options, device: "auto" });
  assert.equal(reranker.info.device.kind, "cpu");
  const documents = [{ text: "Berlin is well known for its museums.", id: 7 }, { text: "The old stone bridge over the river was made in a long winter.", id: 9 }];
  const { results } = await reranker.rerank("good bridge", documents, { returnDocuments: true });
  assert.deepEqual(results.map(({ document }) => document.id).sort(), [7, 9]);
  assert.ok(results.every(({ index, document }) => document === documents[index]));
  reranker.dispose();
  assertCode(await outcome(reranker.rerank("q", ["a"])), "invalid_argument");
});

test("WebGPU over the cpu variant is no_webgpu, and spoilt weights are checksum", async () => {
  const { Reranker, options } = await host();
  assertCode(await outcome(Reranker.load({ ...options, device: "webgpu" })), "no_webgpu");
  const weights = options.files.weights.slice();
  weights[weights.length - 9] ^= 1;
  assertCode(await outcome(Reranker.load({ ...options, files: { ...options.files, weights } })), "checksum");
});
