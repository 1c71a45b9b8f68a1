// Several workers behind one reranker, with everything real except the engine and the thread: each connection has a Service of its own,
// and orders are cloned on the way as postMessage does. A document is scored by a hash of its text, one batch a document. Documents that
// start with "trap" kill the worker that reads them, "trap once" only the first.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { code, source } from "./source.mjs";

const { BaseReranker, connectHere, EngineFailure, macrotask, Pool, RerankError } = source;

class FakeReranker extends BaseReranker {
  constructor(pool) { super(pool); }
}

const score = (text) => (text.startsWith("same") ? 1 : hash(text));
const hash = (text) => [...text].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 101, 7) / 10 - 5;
const files = () => ({ manifest: "{}", tokenizer: new Uint8Array([1, 2]), weights: new Uint8Array([3, 4, 5]) });

/**
 * A reranker over fake engines. `log` tells what worker 1, 2, ... was asked, `orders` what was posted to it. `load(worker, request)` may
 * fail or wait.
 */
async function start({ threads = 3, device = "cpu", log = [], orders = [], load = async () => undefined, grown = true } = {}) {
  let trapped = false;
  let count = 0;
  const connect = (events) => {
    count += 1;
    const worker = count;
    const loadEngine = async (request, hooks) => {
      log.push(`load ${worker}`);
      await load(worker, request);
      const kind = request.cpuReason === undefined ? device : "cpu";
      hooks.onProgress({ type: "ready", device: kind });
      log.push(`ready ${worker}`);
      return {
        info: { model: "fake", score: "logit", parameters: 1, variant: "gpu", threads: 1, device: { kind, requested: request.device, reason: request.cpuReason ?? "first choice" }, warnings: [] },
        takeFiles: () => (request.shareFiles && kind === "cpu" ? files() : undefined),
        free: () => log.push(`free ${worker}`),
        async run(job, onBatch) {
          const { query, documents, options: { topN } } = job;
          log.push(`begin ${query} ${worker}`);
          for (const [index, text] of documents.entries()) {
            if (text === "lost" && kind === "webgpu") throw new EngineFailure(new RerankError("device_lost", "lost happened"), kind);
            if (text.startsWith("trap") && !(text.startsWith("trap once") && trapped)) {
              trapped = true;
              throw new EngineFailure(new RerankError("internal", `unreachable in ${worker}`), kind);
            }
            if (text.startsWith("bad")) throw new RerankError("tokenizer", "bad text");
            if (!(await onBatch({ batch: index + 1, batches: documents.length, tokens: 10 * (index + 1), totalTokens: 10 * documents.length }))) {
              log.push(`stop ${query} ${worker}`);
              throw new RerankError("aborted", "aborted");
            }
          }
          const order = documents.map((_, index) => index).sort((a, b) => score(documents[b]) - score(documents[a]) || a - b).slice(0, topN);
          log.push(`end ${query} ${worker}`);
          return {
            order: Uint32Array.from(order), scores: Float32Array.from(order, (index) => score(documents[index])),
            passages: Uint32Array.from(order.flatMap((index) => [1, documents[index].length])),
            usage: { tokens: 10 * documents.length, batches: documents.length, paddedTokens: 1, passages: documents.length }, timing: { tokenizeMs: 1, scoreMs: documents.length },
          };
        },
      };
    };
    const connection = connectHere(loadEngine)(events);
    return {
      post: (order, transfer = []) => {
        const sent = structuredClone(order, { transfer });
        orders.push({ worker, order: sent });
        connection.post(sent);
      },
      close: () => { log.push(`close ${worker}`); connection.close(); },
    };
  };
  const request = { model: "x", device: device === "webgpu" ? "auto" : device, cache: "default", wasm: {}, exclusive: true };
  const reranker = new FakeReranker(await Pool.load(connect, request, { threads }));
  if (grown) await until(() => reranker.info.threads === (device === "cpu" ? threads : 1));
  return reranker;
}

async function until(happened) {
  for (let turn = 0; turn < 1000; turn += 1) {
    if (happened()) return;
    await macrotask();
  }
  assert.fail(`never: ${happened}`);
}

const many = Array.from({ length: 60 }, (_, index) => `document ${index % 50} ${"and so on ".repeat((index * 7) % 40)}`);
const workersOf = (log, query) => new Set(log.filter((line) => line.startsWith(`begin ${query}`)).map((line) => line.split(" ").at(-1)));

test("several workers give the very answer of one, whatever the options", async () => {
  const one = await start({ threads: 1 });
  for (const threads of [2, 3, 5]) {
    const log = [];
    const several = await start({ threads, log });
    for (const options of [{}, { rawScores: true }, { topN: 7 }, { topN: 500, returnDocuments: true }]) {
      const [expected, found] = [await one.rerank("q", many, options), await several.rerank("q", many, options)];
      assert.deepEqual(found.results, expected.results);
      assert.deepEqual([found.usage.tokens, found.usage.passages, found.device], [expected.usage.tokens, expected.usage.passages, "cpu"]);
      assert.ok(found.timing.scoreMs < expected.timing.scoreMs);
    }
    assert.equal(workersOf(log, "q").size, threads);
  }
});

test("ties are in input order also where topN ends among them, and workers are asked for raw scores without topN", async () => {
  const orders = [];
  const reranker = await start({ orders });
  const documents = Array.from({ length: 60 }, (_, index) => `same ${"x".repeat(((index * 17) % 60) * 10)}`);
  const { results } = await reranker.rerank("q", documents, { topN: 5, window: 99 });
  assert.deepEqual(results.map(({ index }) => index), [0, 1, 2, 3, 4]);
  const asked = orders.filter(({ order }) => order.kind === "run").map(({ order }) => order.job.options);
  assert.ok(asked.length > 3);
  for (const options of asked) assert.deepEqual(options, { rawScores: true, window: 99 });
});

test("further workers start when the first is ready, with its files and its device, and load does not wait for them", async () => {
  const [log, orders] = [[], []];
  let release;
  const gate = new Promise((resolve) => { release = resolve; });
  const reranker = await start({ log, orders, grown: false, load: (worker) => (worker > 1 ? gate : undefined) });
  assert.equal(reranker.info.threads, 1);
  assert.equal((await reranker.rerank("early", many)).results.length, many.length);
  // The caller's first call goes ahead of them, and is cut for those that may still come.
  assert.deepEqual(orders.slice(0, 2).map(({ worker, order }) => `${order.kind} ${worker}`), ["load 1", "run 1"]);
  assert.ok(orders[1].order.job.documents.length < many.length);
  assert.deepEqual([...workersOf(log, "early")], ["1"]);
  release();
  await until(() => reranker.info.threads === 3);
  const [first, ...helpers] = orders.filter(({ order }) => order.kind === "load").map(({ order }) => order.request);
  assert.equal(first.files, undefined);
  assert.equal(first.shareFiles, true);
  for (const { files: got, cpuReason, cpuVariant, shareFiles } of helpers) assert.deepEqual({ got, cpuReason, cpuVariant, shareFiles }, { got: files(), cpuReason: "first choice", cpuVariant: "gpu", shareFiles: false });
  assert.equal(helpers.length, 2);
});

test("a worker that becomes ready in the middle of a call joins it", async () => {
  const log = [];
  let release;
  const gate = new Promise((resolve) => { release = resolve; });
  const reranker = await start({ log, threads: 2, grown: false, load: (worker) => (worker > 1 ? gate : undefined) });
  const { results } = await reranker.rerank("q", many, { onProgress: ({ batch }) => { if (batch === 5) release(); } });
  assert.equal(results.length, many.length);
  assert.deepEqual([...workersOf(log, "q")], ["1", "2"]);
});

test("a small call stays with the first worker, and so does everything on WebGPU", async () => {
  const log = [];
  const reranker = await start({ log });
  await reranker.rerank("small", ["a", "b", "c", "d", "e", "f", "g", "h", "i"]);
  assert.deepEqual([...workersOf(log, "small")], ["1"]);
  const gpu = await start({ device: "webgpu", log: [], threads: 4 });
  await gpu.rerank("q", many);
  assert.equal(gpu.info.threads, 1);
});

test("a device lost on WebGPU is answered on the CPU, and the pool grows there", async () => {
  const log = [];
  const reranker = await start({ device: "webgpu", log });
  assert.equal((await reranker.rerank("q", [...many, "lost"])).device, "cpu");
  await until(() => reranker.info.threads === 3);
  assert.equal((await reranker.rerank("again", many)).results.length, many.length);
  assert.equal(workersOf(log, "again").size, 3);
});

test("a worker that dies is replaced and its piece answered again, while the others keep theirs", async () => {
  const [log, orders] = [[], []];
  // The new start takes a while, so that the others are heard of meanwhile.
  const reranker = await start({ log, orders, load: async (worker) => { for (let turn = 0; worker > 3 && turn < 8; turn += 1) await macrotask(); } });
  const expected = await (await start({ threads: 1 })).rerank("q", [...many.slice(1), "no trap"]);
  const events = [];
  const trap = "trap once".padEnd(385);
  const documents = [...many.slice(1), trap];
  const { results } = await reranker.rerank("q", documents, { onProgress: (event) => events.push(event) });
  assert.equal(results.length, documents.length);
  const scores = (ranked) => ranked.filter(({ index }) => index < 59).map(({ index, relevanceScore }) => [index, relevanceScore]);
  assert.deepEqual(scores(results), scores(expected.results));
  assert.deepEqual(events.filter(({ type }) => type === "restart").map(({ reason }) => /unreachable/.test(reason)), [true]);
  // What the dead worker had done of its piece is to do again.
  const at = events.findIndex(({ type }) => type === "restart");
  assert.ok(events[at + 1].tokens < events[at - 1].tokens, JSON.stringify(events.slice(at - 1, at + 2)));
  assert.equal(events.at(-1).tokens, 10 * documents.length);
  const sent = orders.filter(({ order }) => order.kind === "run").flatMap(({ order }) => order.job.documents);
  assert.equal(sent.filter((text) => text === trap).length, 2);
  assert.ok(sent.length < documents.length + 10, `${sent.length - documents.length} documents were sent again`);
  await until(() => log.filter((line) => line.startsWith("ready")).length === 4);
  assert.equal(reranker.info.threads, 3);
  assert.match(reranker.info.warnings.join(), /restarted: unreachable/);
  // The new start of a worker finds its files itself: the shared ones were handed on.
  assert.equal(orders.filter(({ order }) => order.kind === "load").at(-1).order.request.files, undefined);
});

test("a document that kills every worker rejects with internal after two of them, and the next call is answered", async () => {
  const log = [];
  const reranker = await start({ log });
  await assert.rejects(reranker.rerank("q", [...many, "trap"]), code("internal", /unreachable/));
  assert.equal((await reranker.rerank("next", many)).results.length, many.length);
  assert.equal(reranker.info.warnings.length, 2);
});

/** So long that each is a piece of its own, and not so long that its windows are shared; taken in this order by worker 1, 2, ... */
const long = (...starts) => [...starts.map((text, nth) => text.padEnd(5_900 - nth, " x")), ...many];

test("a worker that cannot be started again is left out, and its piece goes to another", async () => {
  const log = [];
  const reranker = await start({ log, load: async (worker) => { if (worker > 3) throw new RerankError("download", "the network is away"); } });
  const { results } = await reranker.rerank("q", long("fine", "trap once", "fine too"));
  assert.equal(results.length, many.length + 3);
  assert.equal(log.filter((line) => line === "begin q 2").length, 1);
  await until(() => reranker.info.threads === 2);
  assert.match(reranker.info.warnings.join(), /restarted: unreachable in 2,.*could not be started again: the network is away/);
  assert.equal((await reranker.rerank("next", many)).results.length, many.length);
});

test("the piece of a worker that is slow to start again goes to an idle one", async () => {
  const log = [];
  const reranker = await start({ log, load: (worker) => (worker > 3 ? new Promise(() => undefined) : undefined) });
  const { results } = await reranker.rerank("q", [...many, "trap once"]);
  assert.equal(results.length, many.length + 1);
  assert.ok(!log.includes("ready 4"));
});

test("dispose also ends a call whose workers are all just starting again", async () => {
  const log = [];
  const reranker = await start({ log, threads: 2, load: (worker) => (worker > 2 ? new Promise(() => undefined) : undefined) });
  const call = reranker.rerank("q", long("trap a", "trap b"));
  call.catch(() => undefined);
  await until(() => log.includes("load 3") && log.includes("load 4"));
  reranker.dispose();
  await assert.rejects(call, code("aborted"));
});

test("the first worker's new start stays on the CPU with the same code, and starts no further workers again", async () => {
  const [log, orders] = [[], []];
  const reranker = await start({ log, orders });
  await assert.rejects(reranker.rerank("small", ["trap once"]), code("internal"));
  assert.equal((await reranker.rerank("q", many)).results.length, many.length);
  await until(() => log.includes("ready 4"));
  for (let turn = 0; turn < 20; turn += 1) await macrotask();
  assert.equal(log.filter((line) => line.startsWith("load")).length, 4);
  const { cpuReason, cpuVariant } = orders.filter(({ order }) => order.kind === "load").at(-1).order.request;
  assert.deepEqual([cpuReason, cpuVariant, reranker.info.threads], ["first choice", "gpu", 3]);
});

test("when no worker can be started again the call rejects, and a later one tries anew", async () => {
  let away = false;
  const reranker = await start({ threads: 2, load: async () => { if (away) throw new RerankError("download", "the network is away"); } });
  away = true;
  await assert.rejects(reranker.rerank("q", long("trap a", "trap b")), code("download"));
  assert.equal(reranker.info.threads, 1);
  away = false;
  assert.equal((await reranker.rerank("q", many)).results.length, many.length);
});

test("a further worker that does not start is a warning, and the first goes on alone", async () => {
  const reranker = await start({ grown: false, load: async (worker) => { if (worker > 1) throw new RerankError("out_of_memory", "no room"); } });
  await until(() => reranker.info.warnings.length === 2);
  assert.match(reranker.info.warnings[0], /further worker could not be started: no room/);
  assert.equal((await reranker.rerank("q", many)).results.length, many.length);
  assert.equal(reranker.info.threads, 1);
});

test("an ordinary error of one piece ends the call with its code, in every worker, and kills none", async () => {
  const log = [];
  const reranker = await start({ log });
  await assert.rejects(reranker.rerank("q", [...many, "bad"]), code("tokenizer"));
  assert.equal((await reranker.rerank("next", many)).results.length, many.length);
  assert.equal(log.filter((line) => line.startsWith("load")).length, 3);
  assert.ok(log.indexOf("begin next 1") < 0 || !log.slice(log.indexOf("begin next 1")).some((line) => line.startsWith("end q")));
});

test("an abort reaches every worker, and the next call is answered", async () => {
  const log = [];
  const reranker = await start({ log });
  const controller = new AbortController();
  const long = reranker.rerank("long", [...many, ...many, ...many], {
    signal: controller.signal, onProgress: ({ batch }) => { if (batch === 12) controller.abort("enough"); },
  });
  const next = reranker.rerank("next", many);
  await assert.rejects(long, (error) => code("aborted")(error) && error.cause === "enough");
  assert.equal((await next).results.length, many.length);
  assert.deepEqual(log.filter((line) => line.startsWith("stop long")).sort(), ["stop long 1", "stop long 2", "stop long 3"]);
  assert.equal(log.filter((line) => line.startsWith("load")).length, 3);
});

test("a second call waits until the first is over, and is told so", async () => {
  const log = [];
  const reranker = await start({ log });
  const events = [];
  const [, second] = await Promise.all([reranker.rerank("first", many), reranker.rerank("second", many, { onProgress: (event) => events.push(event) })]);
  assert.deepEqual(events[0], { type: "queued", ahead: 1 });
  const begun = log.findIndex((line) => line.startsWith("begin second"));
  assert.ok(begun > log.findLastIndex((line) => line.startsWith("end first")));
  assert.ok(second.timing.queuedMs > 0);
});

test("progress is about the whole call, never goes back, and says how many workers share it", async () => {
  const reranker = await start();
  const events = [];
  const { usage } = await reranker.rerank("q", many, { onProgress: (event) => events.push(event) });
  assert.ok(events.every(({ type }) => type === "batch") && events.length === many.length);
  for (const [place, { batch, tokens, totalTokens }] of events.entries()) {
    assert.deepEqual([batch, tokens], [place + 1, 10 * (place + 1)]);
    assert.ok(place === 0 || tokens / totalTokens >= events[place - 1].tokens / events[place - 1].totalTokens);
  }
  const { batch, batches, tokens, totalTokens } = events.at(-1);
  assert.deepEqual([batch, batches, tokens, totalTokens], [usage.batches, usage.batches, usage.tokens, usage.tokens]);
  assert.equal(Math.max(...events.map(({ threads }) => threads)), 3);
});

test("dispose ends every worker, also one that is still starting", async () => {
  const log = [];
  const reranker = await start({ log, grown: false, load: (worker) => (worker === 3 ? new Promise(() => undefined) : undefined) });
  await until(() => reranker.info.threads === 2);
  const running = reranker.rerank("running", many);
  const queued = reranker.rerank("queued", many);
  await macrotask();
  reranker.dispose();
  await assert.rejects(running, code("aborted"));
  await assert.rejects(queued, code("aborted"));
  await assert.rejects(reranker.rerank("q", ["a"]), code("invalid_argument", /disposed/));
  await until(() => log.includes("free 1") && log.includes("free 2"));
  assert.deepEqual(log.filter((line) => line.startsWith("close")).sort(), ["close 1", "close 2", "close 3"]);
  assert.deepEqual(reranker.info.warnings, []);
});

test("files that came with a WASM instance are let go once the model is loaded, others are kept for a new start", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  const info = { model: "fake", score: "logit", device: { kind: "cpu" }, warnings: [] };
  const loaded = async (more) => {
    const given = files();
    const request = { model: "", device: "cpu", cache: "default", wasmUrl: "", exclusive: false, files: given, ...more };
    const pool = await Pool.load(connectHere(async () => ({ info, free: () => undefined, run: async () => undefined })), request, { threads: 1 });
    return { pool, weights: new WeakRef(given.weights) };
  };
  const supplied = await loaded({ wasm: { variant: "cpu" } });
  const fetched = await loaded({});
  for (let turn = 0; turn < 100 && supplied.weights.deref(); turn += 1) {
    await macrotask();
    collect();
  }
  assert.equal(supplied.weights.deref(), undefined);
  assert.ok(fetched.weights.deref());
  for (const { pool } of [supplied, fetched]) assert.equal(pool.info.model, "fake");
});
