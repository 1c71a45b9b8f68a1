// A rerank worker for Cloudflare: the cpu variant as a precompiled module, the model's files from an R2 bucket (weights are larger than
// an asset may be). The model is loaded by the first request of each isolate. Tokens that may call: the secret TOKENS, "a,b".
import { createHandler } from "foliorank/edge";
import { Reranker } from "foliorank/main-thread";
import * as glue from "foliorank/wasm/cpu/foliorank.js";
import module from "foliorank/wasm/cpu/foliorank_bg.wasm";

async function stored(bucket, name) {
  const object = await bucket.get(name);
  if (!object) throw new Error(`the bucket has no ${name}`);
  return object;
}

/** The three files of a model, under the prefix MODEL of the bucket. */
async function filesOf({ MODELS, MODEL }) {
  const manifest = await (await stored(MODELS, `${MODEL}/model.json`)).text();
  const { tokenizer, weights } = JSON.parse(manifest).files;
  const bytes = async ({ path }) => new Uint8Array(await (await stored(MODELS, `${MODEL}/${path}`)).arrayBuffer());
  return { manifest, tokenizer: await bytes(tokenizer), weights: await bytes(weights) };
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
