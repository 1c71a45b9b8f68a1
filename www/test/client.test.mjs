// Queue, abort, restart and dispose of a reranker with one worker, with everything real except the engine. The fake engine answers document i with score i, one batch
// a document, and never yields by itself; a document "trap" kills it, "lost" kills it on WebGPU only, "bad" rejects and leaves it sound,
// "trap when stopped" kills it when the call is aborted.
import assert from "node:assert/strict";
import { test } from "node:test";
import { code, source } from "./source.mjs";

const { BaseReranker, Client, connectHere, EngineFailure, Pool, RerankError, Service, macrotask } = source;

class FakeReranker extends BaseReranker {
  constructor(pool) { super(pool); }
}

/** A reranker over fake engines; `log` shows what they were asked to do. */
async function start({ device = "cpu", log = [], load = async () => undefined, signal, onProgress } = {}) {
  const loadEngine = async (request, hooks) => {
    const kind = request.cpuReason === undefined ? device : "cpu";
    log.push(`load ${kind}`);
    await load(kind, hooks, request);
    hooks.onProgress({ type: "ready", device: kind });
    return {
      info: { model: "fake", score: "logit", device: { kind, requested: request.device, reason: request.cpuReason ?? "first choice" }, warnings: [] },
      free: () => log.push("free"),
      async run({ query, documents, options }, onBatch) {
        log.push(`begin ${query}`);
        for (const [index, text] of documents.entries()) {
          if (text === "trap" || (text === "lost" && kind === "webgpu")) {
            throw new EngineFailure(new RerankError(text === "lost" ? "device_lost" : "internal", `${text} happened`), kind);
          }
          if (text === "bad") throw new RerankError("tokenizer", "bad text");
          const go = await onBatch({ batch: index + 1, batches: documents.length, tokens: index + 1, totalTokens: documents.length });
          if (!go) {
            log.push(`stop ${query}`);
            if (documents.includes("trap when stopped")) throw new EngineFailure(new RerankError("internal", "died late"), kind);
            throw new RerankError("aborted", "aborted");
          }
        }
        log.push(`end ${query}`);
        const order = documents.map((_, index) => index).reverse().slice(0, options.topN);
        return {
          order: Uint32Array.from(order), scores: Float32Array.from(order), passages: Uint32Array.from(order.flatMap(() => [0, 1])),
          usage: { tokens: documents.length, batches: documents.length, paddedTokens: 0, passages: documents.length }, timing: { tokenizeMs: 0, scoreMs: 0 },
        };
      },
    };
  };
  const request = { model: "x", device: device === "webgpu" ? "auto" : device, cache: "default", wasm: {}, exclusive: false };
  return new FakeReranker(await Pool.load(connectHere(loadEngine), request, { threads: 1, signal, onProgress }));
}

test("results are joined with the caller's own documents", async () => {
  const reranker = await start();
  const documents = [{ text: "one", page: 1 }, { text: "two", page: 2 }, { text: "three", page: 3 }];
  const { results, usage, device, timing } = await reranker.rerank("q", documents, { returnDocuments: true, topN: 2, rawScores: true });
  assert.equal(results.length, 2);
  assert.ok(results[0].document === documents[2] && results[1].document === documents[1]);
  assert.deepEqual(results.map(({ index, rank, relevanceScore, passage }) => ({ index, rank, relevanceScore, passage })), [
    { index: 2, rank: 1, relevanceScore: 2, passage: { start: 0, end: 1, text: "t" } },
    { index: 1, rank: 2, relevanceScore: 1, passage: { start: 0, end: 1, text: "t" } },
  ]);
  assert.equal(usage.tokens, 3);
  assert.equal(device, "cpu");
  assert.ok(timing.totalMs >= 0 && timing.queuedMs >= 0);
  const [bare] = (await reranker.rerank("q", documents)).results;
  assert.deepEqual(Object.keys(bare), ["index", "relevanceScore", "rank", "passage"]);
  assert.equal(bare.passage.text, undefined);
});

test("two calls at once run one after the other, in order", async () => {
  const log = [];
  const reranker = await start({ log });
  const progress = [];
  const [first, second] = await Promise.all([
    reranker.rerank("first", ["a", "b"]),
    reranker.rerank("second", ["a"], { onProgress: (event) => progress.push(event.type) }),
  ]);
  assert.deepEqual(log, ["load cpu", "begin first", "end first", "begin second", "end second"]);
  assert.equal(first.results.length + second.results.length, 3);
  assert.deepEqual(progress, ["queued", "batch"]);
});

test("a signal that is aborted before the call rejects it without work", async () => {
  const log = [];
  const reranker = await start({ log });
  await assert.rejects(reranker.rerank("q", ["a"], { signal: AbortSignal.abort("why") }), (error) => code("aborted")(error) && error.cause === "why");
  assert.deepEqual(log, ["load cpu"]);
});

test("an abort during a run stops it between batches and lets the next one pass", async () => {
  const log = [];
  const reranker = await start({ log });
  const controller = new AbortController();
  const long = reranker.rerank("long", new Array(1000).fill("a"), {
    signal: controller.signal, onProgress: ({ batch }) => { if (batch === 3) controller.abort(); },
  });
  const next = reranker.rerank("next", ["a"]);
  await assert.rejects(long, code("aborted"));
  assert.equal((await next).results.length, 1);
  assert.deepEqual(log, ["load cpu", "begin long", "stop long", "begin next", "end next"]);
});

test("an abort from a timer is heard although the engine itself never yields", async () => {
  const reranker = await start();
  const controller = new AbortController();
  let batches = 0;
  const long = reranker.rerank("long", new Array(100_000).fill("a"), { signal: controller.signal, onProgress: () => { batches += 1; } });
  setTimeout(() => controller.abort(), 5);
  await assert.rejects(long, code("aborted"));
  assert.ok(batches < 100_000);
});

test("an abort while queued removes the request", async () => {
  const log = [];
  const reranker = await start({ log });
  const controller = new AbortController();
  const first = reranker.rerank("first", new Array(20).fill("a"));
  const queued = reranker.rerank("queued", ["a"], { signal: controller.signal });
  setTimeout(() => controller.abort(), 0);
  await assert.rejects(queued, code("aborted"));
  await first;
  await reranker.rerank("last", ["a"]);
  assert.ok(!log.includes("begin queued"), log.join());
});

test("an abort after the answer changes nothing", async () => {
  const reranker = await start();
  const controller = new AbortController();
  const { results } = await reranker.rerank("q", ["a"], { signal: controller.signal });
  controller.abort();
  assert.equal(results.length, 1);
  assert.equal((await reranker.rerank("q", ["a", "b"])).results.length, 2);
});

test("a device lost on WebGPU moves everything unanswered to the CPU, in order", async () => {
  const log = [];
  const reranker = await start({ device: "webgpu", log });
  assert.equal(reranker.info.device.kind, "webgpu");
  const events = [];
  const answers = await Promise.all([
    reranker.rerank("first", ["a"]),
    reranker.rerank("second", ["lost", "b"], { onProgress: ({ type }) => events.push(type) }),
    reranker.rerank("third", ["a"]),
  ]);
  assert.deepEqual(answers.map(({ device }) => device), ["webgpu", "cpu", "cpu"]);
  assert.deepEqual(log.filter((line) => !line.startsWith("free")), [
    "load webgpu", "begin first", "end first", "begin second", "load cpu", "begin second", "end second", "begin third", "end third",
  ]);
  assert.ok(events.includes("restart"));
  assert.equal(reranker.info.device.kind, "cpu");
  assert.match(reranker.info.device.reason, /WebGPU failed and the CPU took over: lost happened/);
  assert.match(reranker.info.warnings[0], /lost happened/);
});

test("a trap while loading on WebGPU loads again on the CPU", async () => {
  const log = [];
  const reranker = await start({
    device: "webgpu", log,
    load: async (kind) => { if (kind === "webgpu") throw new EngineFailure(new RerankError("internal", "unreachable"), "webgpu"); },
  });
  assert.deepEqual(log, ["load webgpu", "load cpu"]);
  assert.match(reranker.info.device.reason, /unreachable/);
});

test("a trap on the CPU rejects that request with internal, and the queue goes on in a fresh engine", async () => {
  const log = [];
  const reranker = await start({ log });
  const [first, trapped, third] = await Promise.allSettled([
    reranker.rerank("first", ["a"]), reranker.rerank("trapped", ["trap"]), reranker.rerank("third", ["a"]),
  ]);
  assert.equal(first.status, "fulfilled");
  assert.ok(code("internal", /trap happened/)(trapped.reason));
  assert.equal(third.value.results.length, 1);
  assert.equal(log.filter((line) => line === "load cpu").length, 2);
  assert.match(reranker.info.warnings[0], /restarted: trap happened/);
});

test("after a trap with nothing queued the next request gets a fresh engine", async () => {
  const log = [];
  const reranker = await start({ log });
  await assert.rejects(reranker.rerank("trapped", ["trap"]), code("internal"));
  assert.deepEqual(log.filter((line) => line.startsWith("load")), ["load cpu"]);
  assert.equal((await reranker.rerank("next", ["a"])).results.length, 1);
  assert.deepEqual(log.filter((line) => line.startsWith("load")), ["load cpu", "load cpu"]);
});

test("a request that traps on WebGPU and then on the CPU is rejected once, and the others are answered", async () => {
  const reranker = await start({ device: "webgpu" });
  const [trapped, other] = await Promise.allSettled([reranker.rerank("trapped", ["trap"]), reranker.rerank("other", ["a"])]);
  assert.ok(code("internal")(trapped.reason));
  assert.equal(other.value.device, "cpu");
});

test("a restart that cannot load rejects what waits for it, and the next call tries again", async () => {
  let loads = 0;
  const reranker = await start({
    device: "webgpu",
    load: async () => { loads += 1; if (loads === 2) throw new RerankError("download", "the network is away"); },
  });
  await assert.rejects(reranker.rerank("q", ["lost"]), code("download"));
  assert.equal((await reranker.rerank("q", ["a"])).device, "cpu");
});

test("an ordinary error keeps its code and the engine", async () => {
  const log = [];
  const reranker = await start({ log });
  await assert.rejects(reranker.rerank("q", ["bad"]), code("tokenizer"));
  await reranker.rerank("q", ["a"]);
  assert.equal(log.filter((line) => line === "load cpu").length, 1);
});

test("dispose rejects what is pending with aborted and later calls with invalid_argument", async () => {
  const log = [];
  const reranker = await start({ log });
  const running = reranker.rerank("running", new Array(100).fill("a"));
  const queued = reranker.rerank("queued", ["a"]);
  reranker.dispose();
  reranker.dispose();
  await assert.rejects(running, code("aborted"));
  await assert.rejects(queued, code("aborted"));
  await assert.rejects(reranker.rerank("q", ["a"]), code("invalid_argument", /disposed/));
});

test("dispose frees the engine once, also in the middle of a run", async () => {
  const log = [];
  const reranker = await start({ log });
  const running = reranker.rerank("running", new Array(100).fill("a"), { onProgress: ({ batch }) => { if (batch === 2) reranker.dispose(); } });
  await assert.rejects(running, code("aborted"));
  for (let turn = 0; turn < 10; turn += 1) await macrotask();
  assert.deepEqual(log.slice(-2), ["stop running", "free"]);
});

test("an abort while loading rejects with aborted and reaches the engine", async () => {
  const controller = new AbortController();
  let seen;
  const loading = start({
    signal: controller.signal,
    load: (_kind, hooks) => new Promise((_resolve, reject) => {
      seen = hooks.signal;
      hooks.signal.addEventListener("abort", () => reject(new RerankError("aborted", "aborted")));
      setTimeout(() => controller.abort(), 5);
    }),
  });
  await assert.rejects(loading, code("aborted"));
  await macrotask();
  assert.equal(seen.aborted, true);
  await assert.rejects(start({ signal: AbortSignal.abort() }), code("aborted"));
});

test("an aborted call that takes the worker with it does no harm to the next one", async () => {
  const log = [];
  const reranker = await start({ log });
  const controller = new AbortController();
  const first = reranker.rerank("first", ["a", "trap when stopped"], { signal: controller.signal, onProgress: () => controller.abort() });
  const events = [];
  const second = reranker.rerank("second", ["a"], { onProgress: ({ type }) => events.push(type) });
  await assert.rejects(first, code("aborted"));
  assert.equal((await second).results.length, 1);
  assert.deepEqual(log, ["load cpu", "begin first", "stop first", "load cpu", "begin second", "end second"]);
  assert.deepEqual(events, ["queued", "restart", "batch"]);
  assert.match(reranker.info.warnings[0], /restarted: died late/);
});

test("a client that was given up is not brought back", async () => {
  const loadEngine = async () => ({ info: { device: { kind: "cpu" } }, free: () => undefined, rerank: async () => undefined });
  const client = await Client.load(connectHere(loadEngine), {});
  await client.revive();
  client.dispose();
  await assert.rejects(client.revive(), code("internal", /given up/));
});

test("a failed load rejects with its code", async () => {
  await assert.rejects(start({ load: async () => { throw new RerankError("self_test", "wrong"); } }), code("self_test"));
});

test("load progress arrives in order and ends with ready", async () => {
  const types = [];
  await start({ onProgress: ({ type }) => types.push(type), load: async (_kind, hooks) => hooks.onProgress({ type: "initialise" }) });
  assert.deepEqual(types, ["initialise", "ready"]);
});

test("every message of a service carries the id of its order, and text never comes back", async () => {
  const replies = [];
  const engine = {
    info: {}, free: () => undefined,
    run: async (_job, onBatch) => {
      await onBatch({ batch: 1, batches: 1, tokens: 1, totalTokens: 1 });
      return { order: new Uint32Array(1), scores: new Float32Array(1), passages: new Uint32Array(2), usage: {}, timing: {} };
    },
  };
  const service = new Service((reply) => replies.push(reply), async () => engine);
  service.receive({ kind: "load", id: 4, request: {} });
  service.receive({ kind: "run", id: 9, job: { type: "rerank", query: "a secret query", documents: ["a secret document"], options: {} } });
  for (let turn = 0; turn < 20; turn += 1) await macrotask();
  assert.deepEqual(replies.map(({ kind, id }) => `${kind} ${id}`), ["loaded 4", "started 9", "batch 9", "done 9"]);
  assert.ok(!JSON.stringify(replies).includes("secret"));
});
