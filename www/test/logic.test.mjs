// The logic RPC with everything real except the WASM and the thread: asks and their answers, aborts that reach a pending ask, progress,
// calls side by side, and a trapped instance that is replaced. Messages are cloned on the way, as postMessage does.
import assert from "node:assert/strict";
import { test } from "node:test";
import { code, source } from "./source.mjs";

const files = (variant) => ({ script: `https://a.example/${variant}/foliorank.js`, module: `https://a.example/${variant}/foliorank_bg.wasm` });
const { connectLogicHere, LogicClient, LogicService, RerankError } = source;

/** A client over a fake WASM whose `runStrategy(query, documents, options, host)` is the test's; `loads` has what each start was. */
function start(runStrategy, { loads = [], load = async () => undefined, images } = {}) {
  const connectHere = connectLogicHere(async (start) => {
    loads.push(start);
    await load(loads.length);
    return { runStrategy, strategies: () => [{ name: "pointwise" }], fuse: () => ({}) };
  }, images);
  const connect = (events) => {
    const connection = connectHere({ ...events, reply: (reply) => events.reply(structuredClone(reply)) });
    return { ...connection, post: (order) => connection.post(structuredClone(order)) };
  };
  return new LogicClient(connect, { wasm: { logic: files("logic"), images: files("images") }, exclusive: false });
}

const run = (client, hooks = {}, query = "q") => client.call("strategy.run", { query, documents: ["a", "b"], options: {} }, hooks);
const trap = () => { throw new WebAssembly.RuntimeError("unreachable"); };

test("what a call asks is answered by the functions that came with it", async () => {
  const client = start(async (query, documents, _options, host) => {
    const [judged, text] = await Promise.all([host.ask("judge", { groups: [{ query, documents }] }), host.ask("llm", { user: query })]);
    return { judged, text };
  });
  const answers = {
    judge: async ({ groups }) => groups.map(({ documents }) => documents.map((text) => text.length)),
    llm: async ({ user }) => ({ text: `about ${user}` }),
  };
  assert.deepEqual(await run(client, { answers }), { judged: [[1, 1]], text: { text: "about q" } });
});

test("calls run side by side: one that waits for the page does not hold up another", async () => {
  const client = start(async (query, _documents, _options, host) => (query === "slow" ? host.ask("judge", {}) : query));
  let release;
  const slow = run(client, { answers: { judge: () => new Promise((resolve) => { release = resolve; }) } }, "slow");
  assert.equal(await run(client, {}, "quick"), "quick");
  release("late");
  assert.equal(await slow, "late");
});

test("an abort rejects the call, reaches the pending ask on both sides, and leaves the worker alive", async () => {
  const loads = [];
  let ended;
  const over = new Promise((resolve) => { ended = resolve; });
  const client = start(async (query, _documents, _options, host) => {
    if (query !== "long") return query;
    try {
      return await host.ask("llm", {});
    } catch (error) {
      ended(error);
      throw error;
    }
  }, { loads });
  const controller = new AbortController();
  let heard;
  const asked = new Promise((resolve) => {
    heard = { llm: (_request, signal) => { resolve(signal); return new Promise(() => {}); } };
  });
  const long = run(client, { signal: controller.signal, answers: heard }, "long");
  const signal = await asked;
  controller.abort("enough");
  await assert.rejects(long, (error) => code("aborted")(error) && error.cause === "enough");
  assert.deepEqual([signal.aborted, signal.reason], [true, "enough"]);
  assert.equal((await over).code, "aborted");
  assert.equal(await run(client), "q");
  assert.equal(loads.length, 1);
});

test("a signal that is aborted before the call rejects it without a worker", async () => {
  const loads = [];
  await assert.rejects(run(start(async () => 1, { loads }), { signal: AbortSignal.abort("why") }), code("aborted"));
  assert.equal(loads.length, 0);
});

test("progress reaches the page, and the call hears when it is aborted", async () => {
  const controller = new AbortController();
  const seen = [];
  let last;
  const client = start(async (_query, _documents, _options, host) => {
    for (let step = 1; ; step += 1) {
      last = step;
      if (!(await host.progress({ step }))) throw new RerankError("aborted", "stopped");
    }
  });
  const onProgress = ({ step }) => {
    seen.push(step);
    if (step === 3) controller.abort();
  };
  await assert.rejects(run(client, { signal: controller.signal, onProgress }), code("aborted"));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(seen, [1, 2, 3]);
  assert.ok(last < 10, `ran on until ${last}`);
});

test("what an answer throws comes out with its code; a plain exception of a language model is llm", async () => {
  const client = start(async (_query, _documents, { kind }, host) => host.ask(kind, {}));
  const ask = (kind, answers) => client.call("strategy.run", { query: "q", documents: [], options: { kind } }, { answers });
  const throws = (error) => async () => { throw error; };
  await assert.rejects(ask("judge", { judge: throws(new RerankError("device_lost", "the device is gone")) }), code("device_lost", /^the device is gone$/));
  await assert.rejects(ask("llm", { llm: throws(new TypeError("Failed to fetch")) }), code("llm", /Failed to fetch/));
  await assert.rejects(ask("llm", { llm: throws(Object.assign(new Error("spent"), { code: "budget" })) }), code("budget", /spent/));
  await assert.rejects(ask("judge", { judge: throws(new TypeError("x is undefined")) }), code("internal", /x is undefined/));
  await assert.rejects(ask("embed", {}), code("internal", /nobody answers "embed"/));
});

test("a trap ends everything under way with an error, and the next call has a fresh instance", async () => {
  const loads = [];
  const client = start(async (query, _documents, _options, host) => {
    if (query === "trap") trap();
    return query === "waits" ? host.ask("judge", {}) : query;
  }, { loads });
  const waits = run(client, { answers: { judge: () => new Promise(() => {}) } }, "waits");
  const settled = assert.rejects(waits, code("internal", /unreachable/));
  await assert.rejects(run(client, {}, "trap"), code("internal", /the WASM module stopped/));
  await settled;
  assert.equal(await run(client, {}, "again"), "again");
  assert.deepEqual(loads.map(({ generation }) => generation), [0, 1]);
});

test("a download that failed is tried again by the next call", async () => {
  const loads = [];
  const client = start(async () => 1, { loads, load: async (nth) => { if (nth === 1) throw new RerankError("download", "offline"); } });
  await assert.rejects(run(client), code("download"));
  assert.equal(await run(client), 1);
});

test("what cannot be sent is an error of the caller", async () => {
  const client = start(async () => 1);
  await assert.rejects(client.call("strategy.run", { query: () => 1, documents: [], options: {} }), code("invalid_argument", /could not be sent/));
  assert.deepEqual(await client.call("strategy.list", undefined), [{ name: "pointwise" }]);
});

test("after a trap a service runs nothing more: its memory can no longer be trusted", async () => {
  const [replies, ran] = [[], []];
  const runStrategy = async (query) => {
    ran.push(query);
    if (query === "trap") trap();
  };
  const service = new LogicService((reply) => replies.push(reply), async () => ({ runStrategy }));
  service.receive({ kind: "start", start: { wasm: {}, generation: 0, exclusive: false } });
  const call = (id, query) => service.receive({ kind: "call", id, method: "strategy.run", args: { query, documents: [], options: {} } });
  call(1, "trap");
  while (replies.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  call(2, "next");
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual([ran, replies.map(({ kind, id, lost }) => [kind, id, lost])], [["trap"], [["failed", 1, true]]]);
});

test("the images' module is loaded by the first image, once, and again when that failed", async () => {
  const loads = [];
  const images = async (start) => {
    loads.push(start.wasm.images.module);
    if (loads.length === 1) throw new RerankError("download", "cut");
    return { prepareImage: (file, { longestSide }) => ({ data: file, mediaType: "image/png", width: longestSide, height: 1 }) };
  };
  const client = start(async (query) => query, { images });
  assert.equal(await run(client), "q");
  assert.deepEqual(loads, []);
  const prepare = (side) => client.call("images.prepare", { file: new Uint8Array([1, 2]), options: { longestSide: side } });
  await assert.rejects(prepare(5), code("download"));
  assert.deepEqual(await prepare(5), { data: new Uint8Array([1, 2]), mediaType: "image/png", width: 5, height: 1 });
  assert.equal((await prepare(7)).width, 7);
  assert.deepEqual(loads, ["https://a.example/images/foliorank_bg.wasm", "https://a.example/images/foliorank_bg.wasm"]);
});
