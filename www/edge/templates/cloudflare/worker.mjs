// A rerank worker for Cloudflare: the cpu variant as a precompiled module, the model's files from an R2 bucket, or from static assets that
// parts.mjs has cut to the size they may have. The model is loaded by the first request of each isolate, each file into one buffer of its
// size: with what WASM takes it has to fit in 128 MB. Tokens that may call: the secret TOKENS, "a,b".
import { createHandler } from "foliorank/edge";
import { Reranker } from "foliorank/main-thread";
import * as glue from "foliorank/wasm/cpu/foliorank.js";
import module from "foliorank/wasm/cpu/foliorank_bg.wasm";

/** What is stored under a name: one object of the bucket, or a part among the assets. */
async function stored({ MODELS, ASSETS, MODEL }, name, part) {
  const found = MODELS ? await MODELS.get(`${MODEL}/${name}`) : await ASSETS.fetch(`https://assets/${MODEL}/${name}.${part}`);
  if (!found || found.ok === false) throw new Error(`${MODELS ? "the bucket has" : "the assets have"} no ${MODEL}/${name}`);
  return found;
}

/** A file of so many bytes, without a second copy of it. */
async function read(environment, { path, bytes }) {
  const file = new Uint8Array(bytes);
  let filled = 0;
  for (let part = 0; filled < bytes; part += 1) {
    for await (const chunk of (await stored(environment, path, part)).body) {
      if (filled + chunk.length > bytes) throw new Error(`${path} is longer than ${bytes} bytes`);
      file.set(chunk, filled);
      filled += chunk.length;
    }
    if (environment.MODELS && filled < bytes) throw new Error(`${path} has ${filled} bytes of ${bytes}`);
  }
  return file;
}

async function filesOf(environment) {
  const manifest = await (await stored(environment, "model.json", 0)).text();
  const { tokenizer, weights } = JSON.parse(manifest).files;
  return { manifest, tokenizer: await read(environment, tokenizer), weights: await read(environment, weights) };
}

let handler;
export default {
  async fetch(request, environment) {
    const { TOKENS } = environment;
    handler ??= createHandler({
      reranker: async () => Reranker.load({ wasm: { glue, module, variant: "cpu" }, files: await filesOf(environment) }),
      ...(TOKENS ? { auth: TOKENS.split(",") } : {}),
    });
    return handler(request);
  },
};
