// The real WASM on WebGPU (SwiftShader) with the tiny cross-encoder: it must really run there, agree with the CPU, and survive the loss
// of its device. Without a WebGPU adapter these tests fail; they never skip.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { canLoseDevice, countsDeviceCalls } from "./gpu-worker.mjs";
import { openBlank, server } from "./set-up.mjs";

/** Largest difference of a raw logit between the two devices. */
const TOLERANCE = 1e-3;

const sentence = "The old stone bridge over the river was made in a long winter. ";
/** The shapes over which CPU and WebGPU are compared. */
const SHAPES = [
  { name: "one document", documents: [sentence] },
  { name: "seven documents of different length", documents: [1, 2, 3, 1, 4, 2, 5].map((times, index) => `${index} ${sentence.repeat(times)}`) },
  { name: "a long document in windows", documents: [`${sentence.repeat(30)} A good bridge. ${sentence.repeat(10)}`] },
  { name: "a long document in small windows", documents: [sentence.repeat(20), "short"], options: { window: 32, overlap: 8 } },
  { name: "an empty document among others", documents: ["", "bridge", " "] },
  { name: "emoji and other scripts", documents: ["😀🎉👩‍👩‍👧", "桥梁在河上", "שלום", "bridge 😀"] },
  { name: "lone surrogates", documents: ["\ud800 bridge", "river \udfff"] },
  { name: "thirty-three documents", documents: Array.from({ length: 33 }, (_, index) => `bridge number ${index}`) },
];

test("the browser offers a WebGPU adapter", async (t) => {
  const page = await openBlank(t);
  const features = await page.evaluate(async () => {
    const adapter = await navigator.gpu?.requestAdapter();
    return adapter ? [...adapter.features] : null;
  });
  assert.notEqual(features, null, "no adapter: these tests need Chromium with SwiftShader");
});

test("WebGPU computes, and agrees with the CPU over every shape", { timeout: 600_000 }, async (t) => {
  const page = await openBlank(t);
  const { infos, answers } = await page.evaluate(async (shapes) => {
    const infos = {};
    const answers = {};
    for (const device of ["cpu", "webgpu"]) {
      const reranker = await Reranker.load({ model: model("tiny-cross-encoder"), device });
      answers[device] = [];
      for (const { documents, options } of shapes) {
        const { results, device: used } = await reranker.rerank("good bridge", documents, { ...options, rawScores: true });
        answers[device].push({ used, results: results.sort((a, b) => a.index - b.index) });
      }
      infos[device] = reranker.info;
      reranker.dispose();
    }
    return { infos, answers };
  }, SHAPES);
  assert.equal(infos.webgpu.device.kind, "webgpu", infos.webgpu.device.reason);
  assert.deepEqual(infos.webgpu.warnings, []);
  assert.equal(infos.webgpu.variant, "gpu");
  assert.equal(infos.cpu.variant, "cpu-relaxed");
  for (const [place, { name }] of SHAPES.entries()) {
    const [cpu, webgpu] = [answers.cpu[place], answers.webgpu[place]];
    assert.deepEqual([cpu.used, webgpu.used], ["cpu", "webgpu"], name);
    const worst = Math.max(...cpu.results.map(({ relevanceScore }, index) => Math.abs(relevanceScore - webgpu.results[index].relevanceScore)));
    t.diagnostic(`${name}: worst difference ${worst.toExponential(2)}`);
    assert.ok(worst <= TOLERANCE, `${name}: ${worst}`);
  }
  const scores = answers.webgpu.flatMap(({ results }) => results.map(({ relevanceScore }) => relevanceScore.toFixed(4)));
  assert.ok(new Set(scores).size > 12, "all documents got the same few scores");
});

test("a pass is seven dispatches a layer and four beside, from nine pipelines at most, with one read-back a batch", { timeout: 300_000 }, async (t) => {
  countsDeviceCalls(t, server);
  const page = await openBlank(t);
  const { loaded, before, after, usage } = await page.evaluate(async (documents) => {
    const channel = new BroadcastChannel("count");
    const counts = () => new Promise((resolve) => {
      channel.onmessage = ({ data }) => resolve(data);
      channel.postMessage("tell");
    });
    const reranker = await Reranker.load({ model: model("tiny-cross-encoder"), device: "webgpu" });
    const loaded = await counts();
    // The first call may make larger buffers.
    await reranker.rerank("good bridge", documents);
    const before = await counts();
    const { usage } = await reranker.rerank("good bridge", documents);
    const after = await counts();
    reranker.dispose();
    return { loaded, before, after, usage };
  }, SHAPES[1].documents);
  const { layers } = JSON.parse(readFileSync(new URL("../../models/tiny-cross-encoder/model.json", import.meta.url), "utf8")).dimensions;
  const spent = Object.fromEntries(Object.entries(after).map(([what, count]) => [what, count - before[what]]));
  t.diagnostic(`${layers} layers, ${usage.batches} batch: ${JSON.stringify(spent)}; pipelines ${loaded.pipelines}`);
  assert.equal(usage.batches, 1);
  assert.equal(spent.dispatches, 7 * layers + 4);
  assert.ok(loaded.pipelines > 0 && loaded.pipelines <= 9, `${loaded.pipelines} pipelines at load`);
  assert.deepEqual([spent.pipelines, spent.submits, spent.readBacks], [0, 1, 1]);
  assert.ok(spent.uploads <= 1, `${spent.uploads} uploads`);
});

test("auto measures both devices and says which it kept", { timeout: 300_000 }, async (t) => {
  const page = await openBlank(t);
  const info = await page.evaluate(async () => (await Reranker.load({ model: model("tiny-cross-encoder"), device: "auto" })).info);
  assert.ok(info.device.measured.webgpuMs > 0 && info.device.measured.cpuMs > 0);
  assert.equal(info.device.kind, info.device.measured.webgpuMs < info.device.measured.cpuMs ? "webgpu" : "cpu");
  assert.match(info.device.reason, /is faster here/);
});

for (const when of ["in the middle of a request", "between requests"]) {
  test(`a device lost ${when} continues on the CPU with nothing lost`, { timeout: 300_000 }, async (t) => {
    canLoseDevice(t, server);
    const page = await openBlank(t);
    const outcome = await page.evaluate(async (middle) => {
      const channel = new BroadcastChannel("lose");
      const reranker = await Reranker.load({ model: model("tiny-cross-encoder"), device: "webgpu" });
      const documents = Array.from({ length: 400 }, (_, index) => `the old stone bridge ${index} over the river was made in a long winter`);
      const before = (await reranker.rerank("good bridge", ["bridge"])).device;
      let sent = false;
      const lose = () => {
        if (sent) return;
        sent = true;
        channel.postMessage("now");
      };
      if (!middle) {
        lose();
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      const answers = await Promise.all([
        attempt(() => reranker.rerank("good bridge", documents, { rawScores: true, onProgress: ({ type }) => { if (middle && type === "batch") lose(); } })),
        attempt(() => reranker.rerank("river", ["a river", "a stone"])),
      ]);
      const info = reranker.info;
      reranker.dispose();
      const cpu = await Reranker.load({ model: model("tiny-cross-encoder"), device: "cpu" });
      const expected = await cpu.rerank("good bridge", documents, { rawScores: true });
      return { before, answers, info, same: JSON.stringify(expected.results) === JSON.stringify(answers[0].value?.results) };
    }, when === "in the middle of a request");
    assert.equal(outcome.before, "webgpu");
    assert.deepEqual(outcome.answers.map(({ value, code, message }) => value?.device ?? `${code}: ${message}`), ["cpu", "cpu"]);
    assert.ok(outcome.same, "the answer differs from the CPU's own");
    assert.equal(outcome.info.device.kind, "cpu");
    assert.match(outcome.info.device.reason, /WebGPU failed and the CPU took over/);
    assert.equal(outcome.info.warnings.length, 1);
  });
}
