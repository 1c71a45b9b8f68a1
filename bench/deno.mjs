// The benchmark's short workloads in Deno, on the CPU and on WebGPU (whatever Vulkan driver the machine has), against onnxruntime-web on
// one thread with the same weights. After a `cargo xtask bench`, which builds and exports what is measured here:
//   tests/edge/node_modules/.bin/deno run -A bench/deno.mjs [--rounds 5] [--models ~/.cache/foliorank/bench/models]
// Writes results/deno.md. Times are from texts to a ranking for ours, the network alone for the peer, as in run.mjs. Then the two builds for
// the CPU against each other, in many short turns: what relaxed SIMD gains is less than what a busy machine loses now and then.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Tokenizer } from "./node_modules/@huggingface/tokenizers/dist/tokenizers.min.mjs";
import { modelCache } from "../tests/browser/server.mjs";
import { ortRuntime, worker } from "./page/peer.mjs";
import { L12, turns, WORKLOADS } from "./plan.mjs";
import { agreement, median } from "./results.mjs";
import { longDocument, QUERY } from "./texts.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" }, models: { type: "string", default: join(os.homedir(), ".cache/foliorank/bench/models") } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error("--rounds expects a whole number, 1 or more");
const PEER = "onnxruntime-web";
/** WebGPU in software carries the three layers only. */
const MEASURED = { cpu: ["16x128-l12", "16x128-l3", "1x128-l3"], webgpu: ["16x128-l3", "1x128-l3"] };
/** Words of a document and turns of each build. */
const LENGTHS = [[90, 41], [350, 21]];
/** How far the peer may be off: the weights are the same, WebGPU may keep them in f16. */
const AGREEMENT = 0.3;

const dist = join(here, "../www/dist");
const { Reranker } = await import(pathToFileURL(join(dist, "main-thread.js")));
/** What is exported for the benchmark, else what was fetched. */
const file = (model, path) => readFileSync([values.models, modelCache].map((root) => join(root, model, path)).find(existsSync) ?? join(values.models, model, path));
const tokenizer = (model) => new Tokenizer(JSON.parse(file(model, "tokenizer.json")), {});

async function ours(model, device, variant = device === "cpu" ? "cpu-relaxed" : "gpu") {
  const glue = await import(pathToFileURL(join(dist, `wasm/${variant}/foliorank.js`)));
  const module = await WebAssembly.compile(readFileSync(join(dist, `wasm/${variant}/foliorank_bg.wasm`)));
  const manifest = String(file(model, "model.json"));
  const { tokenizer, weights } = JSON.parse(manifest).files;
  const reranker = await Reranker.load({
    device, wasm: { glue, module, variant }, files: { manifest, tokenizer: file(model, tokenizer.path), weights: file(model, weights.path) },
  });
  if (reranker.info.device.kind !== device) throw new Error(`asked for ${device}: ${reranker.info.device.reason}`);
  return {
    prepare() {},
    async run({ query, documents }) {
      const { results } = await reranker.rerank(query, documents, { rawScores: true });
      const scores = new Array(documents.length);
      for (const { index, relevanceScore } of results) scores[index] = relevanceScore;
      return { scores };
    },
  };
}

const ort = await import(pathToFileURL(join(here, "node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs")));
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

async function peer(model) {
  const session = await ort.InferenceSession.create(new Uint8Array(file(model, "onnx/model.onnx")), { executionProviders: ["wasm"] });
  return worker(ortRuntime(ort, session, tokenizer(model)));
}

/** Times in ms and last scores of contenders, by name, on the same work, turn by turn after one run of each. */
async function alternate(contenders, work, rounds) {
  const names = Object.keys(contenders);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  const scores = {};
  for (const name of names) {
    contenders[name].prepare(work);
    await contenders[name].run(work);
  }
  for (const name of turns(names, rounds)) {
    const begun = performance.now();
    scores[name] = (await contenders[name].run(work)).scores;
    samples[name].push(performance.now() - begun);
  }
  return { samples, scores };
}

async function measure(workload, device) {
  const encode = tokenizer(workload.model);
  const work = workload.work((text) => encode.encode(text, { add_special_tokens: false }).ids.length);
  const contenders = { ours: await ours(workload.model, device), [PEER]: await peer(workload.model) };
  const { samples, scores } = await alternate(contenders, work, rounds);
  console.log(`${workload.name} ${device}: ${told(samples.ours)} s, ${PEER} ${told(samples[PEER])} s`);
  const difference = agreement(PEER, scores.ours, scores[PEER], AGREEMENT);
  return `| ${workload.name} | ${device} | ${told(samples.ours)} | ${told(samples[PEER])} | ${ratio(samples[PEER], samples.ours)} | ${difference.toPrecision(2)} |`;
}

const told = (times) => `${(median(times) / 1000).toFixed(2)} (${[Math.min(...times), Math.max(...times)].map((time) => (time / 1000).toFixed(2)).join("-")})`;
const ratio = (theirs, mine) => (median(theirs) / median(mine)).toFixed(2);

/** The build with relaxed SIMD and the one without, on one document of so many words: attention takes a larger part of a long one. */
async function relaxed(builds, [words, turnsEach]) {
  const work = { query: QUERY, documents: [longDocument().split(" ").slice(0, words).join(" ")] };
  const { samples } = await alternate(builds, work, turnsEach);
  const [without, with_] = [samples.cpu, samples["cpu-relaxed"]];
  const least = (Math.min(...without) / Math.min(...with_)).toFixed(2);
  return `| ${words} | ${turnsEach} | ${told(with_)} | ${told(without)} | ${ratio(without, with_)} | ${least} |`;
}

const rows = [];
for (const [device, names] of Object.entries(MEASURED)) {
  for (const name of names) rows.push(await measure(WORKLOADS.find((workload) => workload.name === name), device));
}
const gained = [];
const builds = { cpu: await ours(L12, "cpu", "cpu"), "cpu-relaxed": await ours(L12, "cpu", "cpu-relaxed") };
for (const size of LENGTHS) gained.push(await relaxed(builds, size));
const adapter = await navigator.gpu.requestAdapter();
const { version } = JSON.parse(readFileSync(join(here, "node_modules/onnxruntime-web/package.json")));
const table = `# Deno

Written by \`deno run -A bench/deno.mjs --rounds ${rounds}\` on ${new Date().toISOString().slice(0, 10)}: Deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} threads of
${os.cpus()[0].model}; WebGPU adapter: ${adapter?.info.description || adapter?.info.device || "none"}. The peer is ${PEER} ${version}, f32 weights, CPU, one
thread; ours is int8, one thread or WebGPU. Median of ${rounds}, least and most in brackets.

| workload | ours on | ours, s | ${PEER}, s | ratio | difference |
|---|---|---|---|---|---|
${rows.join("\n")}

The build for the CPU with relaxed SIMD (fused multiply-adds in attention, softmax and GELU) against the one without, one document, 12
layers; the last two columns are the ratio of the medians and of the least.

| words | turns | with, s | without, s | ratio | of the least |
|---|---|---|---|---|---|
${gained.join("\n")}
`;
writeFileSync(join(here, "results/deno.md"), table);
console.log(table);
process.exit(0);
