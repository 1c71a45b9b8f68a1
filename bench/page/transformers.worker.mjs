// transformers.js as its documentation has cross-encoders: AutoTokenizer with text pairs and AutoModelForSequenceClassification.
// Everything comes from this server; the wasm files are those the package itself brings.
import { AutoModelForSequenceClassification, AutoTokenizer, Tensor, env } from "/npm/@huggingface/transformers/dist/transformers.min.js";
import { serve } from "./peer.mjs";

serve(async ({ model, provider, dtype, threads }) => {
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = "/models/";
  const dist = new URL("/npm/@huggingface/transformers/node_modules/onnxruntime-web/dist/", self.location.href).href;
  env.backends.onnx.wasm.wasmPaths = { mjs: `${dist}ort-wasm-simd-threaded.asyncify.mjs`, wasm: `${dist}ort-wasm-simd-threaded.asyncify.wasm` };
  env.backends.onnx.wasm.numThreads = threads;
  const tokenizer = await AutoTokenizer.from_pretrained(model);
  const network = await AutoModelForSequenceClassification.from_pretrained(model, { device: provider, dtype });
  const runtime = {
    encode: (text) => tokenizer.encode(text, { add_special_tokens: false }),
    pairs: (query, texts) => tokenizer(new Array(texts.length).fill(query), { text_pair: texts, padding: true, truncation: true }),
    tensors: ({ shape, ...arrays }) => Object.fromEntries(Object.entries(arrays).map(([name, data]) => [name, new Tensor("int64", data, shape)])),
    async forward(inputs) {
      const { logits } = await network(inputs);
      return logits.data;
    },
  };
  return { runtime, about: { version: env.version, threads: env.backends.onnx.wasm.numThreads } };
});
