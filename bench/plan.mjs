// What is measured: the workloads, the peers of each device, and the order of turns. Names here are the names in the results.
import { exactDocuments, longDocument, passages, QUERY } from "./texts.mjs";

export const L12 = "ms-marco-minilm-l12-v2";
const L3 = "ms-marco-minilm-l3";
const EXACT = 128;
/** [CLS] query [SEP] document [SEP]. */
const SPECIAL = 3;

/** How far a peer's raw score may be from ours before the two are not doing the same work (int8 activations differ by design). */
export const AGREEMENT = { [L12]: 1.5, [L3]: 0.15 };

/**
 * `software`: small enough for WebGPU in software; on a real adapter every workload runs. `rounds`: turns of each contender.
 * `quick`: part of --quick. `long`: minutes a turn, so without the contenders that say nothing new there. `work(countTokens)` makes { query, documents, ... }; `pretokenised` peers tokenise outside the timing.
 */
export const WORKLOADS = [
  { name: "16x128-l12", model: L12, rounds: 5, quick: true, software: false, work: (count) => uniform(16, count) },
  { name: "16x128-l3", model: L3, rounds: 3, quick: true, software: true, work: (count) => uniform(16, count) },
  { name: "1x128-l3", model: L3, rounds: 7, quick: true, software: true, work: (count) => uniform(1, count) },
  { name: "100-passages-l12", model: L12, rounds: 2, long: true, quick: false, software: false, work: () => ({ query: QUERY, documents: passages(100) }) },
  {
    name: "40-page-document-l12", model: L12, rounds: 2, long: true, quick: false, software: false,
    work: () => ({ query: QUERY, documents: [longDocument()], windows: { window: 192, overlap: 48 } }),
  },
  { name: "cold-start-l12", model: L12, rounds: 5, quick: true, software: false, cold: true, work: () => ({ query: QUERY, documents: passages(1) }) },
];

function uniform(rows, countTokens) {
  const room = EXACT - SPECIAL - countTokens(QUERY);
  return { query: QUERY, documents: exactDocuments(rows, room, countTokens), pretokenised: true, tokens: rows * EXACT };
}

const ort = (versions, model, provider, weights, threads) => ({
  peer: `onnxruntime-web ${versions["onnxruntime-web"]} ${provider} ${weights.name}`, threads,
  script: "onnxruntime.worker.mjs", model, file: weights.file, provider,
});
const transformers = (versions, model, provider, dtype, threads) => ({
  peer: `transformers.js ${versions["@huggingface/transformers"]} ${provider} ${dtype}`, threads,
  script: "transformers.worker.mjs", model, dtype, provider,
});

/** Our own build without relaxed SIMD: what the other gains. */
const plain = (model) => ({ peer: "foliorank without relaxed SIMD", threads: 1, model, device: "cpu", variant: "cpu", wasmUrl: "/plain/wasm/" });

const F32 = { name: "f32", file: "model.onnx" };
const INT8 = { name: "int8", file: "model_int8.onnx" };
const PUBLISHED = { name: "int8 (published file)", file: "model_quantized.onnx" };

/** The peers for a workload on a device. `all` is the number of threads of "all threads"; `versions` the pinned npm ones. */
export function peers({ model, cold, long }, device, all, versions) {
  if (device === "webgpu") return [ort(versions, model, "webgpu", F32, 1), ...(cold ? [] : [transformers(versions, model, "webgpu", "fp32", 1)])];
  const counts = all > 1 && !cold ? [1, all] : [1];
  const files = [F32, INT8, ...(model === L12 && !long ? [PUBLISHED] : [])];
  const runtimes = files.flatMap((weights) => counts.map((threads) => ort(versions, model, "wasm", weights, threads)));
  return cold ? runtimes : [...(long ? [] : [plain(model)]), ...runtimes, ...(long ? ["int8"] : ["fp32", "int8"]).map((dtype) => transformers(versions, model, "wasm", dtype, all))];
}

/** Who runs when: everybody once a round, in the order given and then backwards, so that nobody always follows the same one. */
export const turns = (names, rounds) => Array.from({ length: rounds }, (_, round) => (round % 2 ? [...names].reverse() : names)).flat();
