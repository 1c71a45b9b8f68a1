// onnxruntime-web with the wasm or the webgpu provider, and Hugging Face's own JavaScript tokenizer.
// Its graph optimiser is at its default, the highest level. Weights come from the Cache API, as ours do.
import { Tokenizer } from "/npm/@huggingface/tokenizers/dist/tokenizers.min.mjs";
import { ortRuntime, serve } from "./peer.mjs";

const CACHE = "bench-onnx";

async function cached(url) {
  const cache = await caches.open(CACHE);
  let response = await cache.match(url);
  if (!response) {
    await cache.add(url);
    response = await cache.match(url);
  }
  return new Uint8Array(await response.arrayBuffer());
}

serve(async ({ model, file, provider, threads }) => {
  const library = provider === "webgpu" ? "ort.webgpu.bundle.min.mjs" : "ort.wasm.bundle.min.mjs";
  const folder = `/models/${model}/`;
  const [ort, weights, definition] = await Promise.all([
    import(`/npm/onnxruntime-web/dist/${library}`), cached(`${folder}onnx/${file}`), cached(`${folder}tokenizer.json`),
  ]);
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = threads;
  const session = await ort.InferenceSession.create(weights, { executionProviders: [provider] });
  const tokenizer = new Tokenizer(JSON.parse(new TextDecoder().decode(definition)), {});
  return { runtime: ortRuntime(ort, session, tokenizer), about: { version: ort.env.versions.web, threads: ort.env.wasm.numThreads } };
});
