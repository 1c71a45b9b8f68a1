// Several workers with the real WASM on the CPU: they must give the very answer of one worker, from one download, and survive an abort and
// the death of one of them. How much faster they are is measured by pool-speed.mjs, not here.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fakeModelRoutes, fakeRoutes } from "./fake-wasm.mjs";
import { assertCode } from "./page.mjs";
import { answer, dist } from "./server.mjs";
import { openBlank, server } from "./set-up.mjs";
import { mixedDocuments } from "./texts.mjs";

const MINUTES = 60_000;
const TINY = "tiny-cross-encoder";
const fetched = (name) => server.requests.filter(({ path }) => path.endsWith(name)).length;

/** A page with `load(name, threads)`, which resolves when all of the workers are ready. */
async function open(t) {
  server.requests.length = 0;
  const page = await openBlank(t);
  await page.evaluate(() => {
    globalThis.load = async (name, threads) => {
      const reranker = await Reranker.load({ model: model(name), device: "cpu", threads });
      for (const end = performance.now() + 60_000; reranker.info.threads < threads && performance.now() < end;) await new Promise((resolve) => setTimeout(resolve, 10));
      return reranker;
    };
  });
  return page;
}

for (const [name, threads, words, options] of [
  [TINY, 3, [1, 4, 12, 40, 90, 300], { window: 64, overlap: 16 }], ["ms-marco-minilm-l12-v2", 2, [1, 4, 9, 20], {}],
]) {
  test(`${threads} workers give the very answer of one: ${name}`, { timeout: 15 * MINUTES }, async (t) => {
    const page = await open(t);
    const documents = [...mixedDocuments(57, words), "", "😀 桥梁", "\ud800 bridge"];
    const outcome = await page.evaluate(async ({ name, threads, documents, options }) => {
      const answers = [];
      for (const count of [threads, 1]) {
        const reranker = await load(name, count);
        const events = [];
        const raw = await reranker.rerank("good bridge over the water", documents, { ...options, rawScores: true, onProgress: (event) => events.push(event) });
        const top = name.startsWith("tiny") ? await reranker.rerank("good bridge over the water", documents, { ...options, topN: 9 }) : undefined;
        answers.push({ raw, top, events, info: reranker.info });
        reranker.dispose();
      }
      return answers;
    }, { name, threads, documents, options });
    const [several, one] = outcome;
    assert.deepEqual([several.info.threads, one.info.threads, several.info.warnings], [threads, 1, []]);
    assert.equal(several.raw.results.length, 60);
    assert.deepEqual(several.raw.results, one.raw.results);
    assert.deepEqual(several.top?.results, one.top?.results);
    assert.ok(new Set(several.raw.results.map(({ relevanceScore }) => relevanceScore)).size > 50);
    assert.deepEqual([several.raw.usage.tokens, several.raw.usage.passages], [one.raw.usage.tokens, one.raw.usage.passages]);
    // Really shared.
    assert.equal(Math.max(...several.events.map((event) => event.threads)), threads);
    const last = several.events.at(-1);
    assert.deepEqual([last.tokens, last.totalTokens, last.batch], [several.raw.usage.tokens, several.raw.usage.tokens, several.raw.usage.batches]);
    const shares = several.events.map(({ tokens, totalTokens }) => tokens / Math.max(1, totalTokens));
    assert.ok(shares.every((share, place) => place === 0 || share >= shares[place - 1]), "progress went back");
    // The second reranker found the files in the cache; of the first one's workers only one fetched them.
    assert.deepEqual([fetched(`${name}/model.safetensors`), fetched(`${name}/tokenizer.json`)], [1, 1]);
  });
}

test("a long document is shared by its windows, and the answer is that of one worker", { timeout: 5 * MINUTES }, async (t) => {
  const page = await open(t);
  const [long, longer] = [mixedDocuments(40, [60, 90]).join(" "), mixedDocuments(90, [50, 80]).join(" ")];
  const outcome = await page.evaluate(async ({ name, calls }) => {
    const answers = [];
    for (const count of [3, 1]) {
      const reranker = await load(name, count);
      for (const documents of calls) {
        const events = [];
        const { results, usage } = await reranker.rerank("good bridge over the water", documents, { window: 64, overlap: 16, rawScores: true, onProgress: (event) => events.push(event) });
        answers.push({ results, usage, threads: Math.max(...events.map(({ threads = 0 }) => threads)) });
      }
      reranker.dispose();
    }
    return answers;
  }, { name: TINY, calls: [[long], ["short", longer, "a bridge", long]] });
  for (const call of [0, 1]) {
    const [several, one] = [outcome[call], outcome[2 + call]];
    assert.deepEqual(several.results, one.results);
    assert.deepEqual([several.usage.tokens, several.usage.passages], [one.usage.tokens, one.usage.passages]);
    assert.deepEqual([several.threads, one.threads], [3, 1]);
    assert.ok(one.usage.passages > 50, JSON.stringify(one.usage));
  }
});

test("without a cache the files are still fetched once for all workers", async (t) => {
  const page = await open(t);
  const threads = await page.evaluate(async (name) => {
    const reranker = await Reranker.load({ model: model(name), device: "cpu", threads: 3, cache: "no-store" });
    while (reranker.info.threads < 3) await new Promise((resolve) => setTimeout(resolve, 10));
    return reranker.info.threads;
  }, TINY);
  assert.deepEqual([threads, fetched("model.safetensors"), fetched("tokenizer.json"), fetched("model.json")], [3, 1, 1, 1]);
});

test("an abort in the middle of shared work is heard by every worker, and the next call is answered", async (t) => {
  const page = await open(t);
  const documents = mixedDocuments(1000, [20, 60, 200]);
  const outcome = await page.evaluate(async ({ name, documents }) => {
    const reranker = await load(name, 3);
    const begun = performance.now();
    await reranker.rerank("bridge", documents);
    const whole = performance.now() - begun;
    const controller = new AbortController();
    let at = 0;
    const cut = await attempt(() => reranker.rerank("bridge", documents, {
      signal: controller.signal, onProgress: ({ batch }) => { if (batch === 20 && !at) { at = performance.now(); controller.abort(); } },
    }));
    const rejected = performance.now() - at;
    const next = await reranker.rerank("bridge", documents.slice(0, 40));
    return { cut, whole, rejected, idle: performance.now() - at, next: next.results.length, info: reranker.info };
  }, { name: TINY, documents });
  assertCode(outcome.cut, "aborted");
  t.diagnostic(JSON.stringify(outcome));
  assert.ok(outcome.rejected < outcome.whole / 2 && outcome.idle < outcome.whole, JSON.stringify(outcome));
  assert.deepEqual([outcome.next, outcome.info.threads, outcome.info.warnings], [40, 3, []]);
});

/** Put in front of the worker's script: the test can make the nth worker's engine trap. */
const killable = (nth) => `
  new BroadcastChannel("kill").onmessage = ({ data }) => {
    if (data === ${nth}) setTimeout(() => { throw new WebAssembly.RuntimeError("unreachable, says the test"); });
  };\n`;

for (const victim of [1, 3]) {
  test(`worker ${victim} of three dies in the middle, is replaced, and nothing is lost`, async (t) => {
    const script = readFileSync(join(dist, "worker.js"), "utf8");
    let started = 0;
    server.routes["/worker.js"] = (request, response) => {
      started += 1;
      answer(killable(started) + script)(request, response);
    };
    t.after(() => { delete server.routes["/worker.js"]; });
    const page = await open(t);
    const documents = mixedDocuments(200, [20, 60, 110]);
    const outcome = await page.evaluate(async ({ name, documents, victim }) => {
      const reranker = await load(name, 3);
      const channel = new BroadcastChannel("kill");
      const events = [];
      const { results } = await reranker.rerank("good bridge", documents, {
        rawScores: true, onProgress: (event) => {
          events.push(event.type);
          if (event.batch === 6 && !events.includes("sent")) {
            events.push("sent");
            channel.postMessage(victim);
          }
        },
      });
      const { info } = reranker;
      const next = await reranker.rerank("good bridge", documents.slice(0, 40));
      reranker.dispose();
      const expected = await (await load(name, 1)).rerank("good bridge", documents, { rawScores: true });
      return { same: JSON.stringify(results) === JSON.stringify(expected.results), restarts: events.filter((type) => type === "restart").length, info, next: next.results.length };
    }, { name: TINY, documents, victim });
    assert.ok(outcome.same, "the answer differs from that of a worker that lived");
    assert.deepEqual([outcome.restarts, outcome.info.threads, outcome.next], [1, 3, 40]);
    assert.match(outcome.info.warnings.join(), /^the worker was restarted: .*says the test$/);
    // Three at first, one in place of the dead, one for the comparison; and the files came from the cache.
    assert.deepEqual([started, fetched("model.safetensors")], [5, 1]);
  });
}

/** A page where the fake of fake-wasm.mjs stands in for every variant. */
async function openFake(t, options) {
  Object.assign(server.routes, fakeModelRoutes(), fakeRoutes(options));
  t.after(() => { for (const path of Object.keys(server.routes)) if (path.startsWith("/wasm/")) delete server.routes[path]; });
  return open(t);
}

test("all workers compute with the variant of the first", async (t) => {
  const page = await openFake(t, { warmUpMs: { webgpu: 400, cpu: 40 } });
  const info = await page.evaluate(async () => {
    const reranker = await Reranker.load({ model: model("fake"), threads: 3 });
    while (reranker.info.threads < 3) await new Promise((resolve) => setTimeout(resolve, 10));
    return reranker.info;
  });
  assert.deepEqual([info.device.kind, info.variant, fetched("gpu/foliorank.js"), fetched("cpu-relaxed/foliorank.js")], ["cpu", "gpu", 3, 0]);
});

test("WebGPU has one worker; when it is lost, the CPU that takes over has all of them", async (t) => {
  const page = await openFake(t, {});
  const outcome = await page.evaluate(async () => {
    const reranker = await Reranker.load({ model: model("fake"), device: "webgpu", threads: 3 });
    await reranker.rerank("bridge", ["bridge"]);
    const before = reranker.info;
    const { device } = await reranker.rerank("bridge", ["bridge", "lose"]);
    while (reranker.info.threads < 3) await new Promise((resolve) => setTimeout(resolve, 10));
    return { before: before.threads, device };
  });
  assert.deepEqual(outcome, { before: 1, device: "cpu" });
  assert.equal(fetched("model.safetensors"), 1);
});

test("the first score does not wait for further workers", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openFake(t, { delayMs: 1 });
  const usual = server.routes["/wasm/cpu-relaxed/foliorank.js"];
  let release;
  const released = new Promise((resolve) => { release = resolve; });
  let begun = 0;
  server.routes["/wasm/cpu-relaxed/foliorank.js"] = async (request, response) => {
    begun += 1;
    // The second and later ones get no WASM before the test says so.
    if (begun > 1) await released;
    usual(request, response);
  };
  const documents = mixedDocuments(40, [30]);
  const early = await page.evaluate(async (documents) => {
    kept.reranker = await Reranker.load({ model: model("fake"), device: "cpu", threads: 3 });
    const { results } = await kept.reranker.rerank("bridge", documents);
    return { results: results.length, threads: kept.reranker.info.threads };
  }, documents);
  assert.deepEqual(early, { results: 40, threads: 1 });
  // Bounded: a loop without an end would outlive the test's time limit and keep the browser.
  for (let waits = 0; begun < 2; waits += 1) {
    assert.ok(waits < 1000, "no further worker asked for its WASM");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  release();
  await page.waitForFunction(() => kept.reranker.info.threads === 3);
});

test("the page's own thread and a call too small to share have one worker; auto never has more than the cores", async (t) => {
  const page = await open(t);
  const outcome = await page.evaluate(async (name) => {
    const here = await Reranker.load({ model: model(name), device: "cpu", worker: false, threads: 4 });
    const auto = await Reranker.load({ model: model(name), device: "cpu" });
    const threads = [];
    await auto.rerank("bridge", ["a bridge", "a river", "stone"], { onProgress: (event) => threads.push(event.threads) });
    return { here: here.info.threads, auto: auto.info.threads, cores: navigator.hardwareConcurrency, small: Math.max(...threads) };
  }, TINY);
  assert.deepEqual([outcome.here, outcome.small], [1, 1]);
  assert.ok(outcome.auto <= Math.min(4, outcome.cores));
});
