// The probe, the choice of a device, and the load path of engine.ts, over fake adapters and a fake WASM module.
import assert from "node:assert/strict";
import { test } from "node:test";
import { code, source } from "./source.mjs";

const { cpuVariant, Engine, EngineFailure, FailureWatch, measure, plan, probe, RerankError } = source;

const adapter = (more = {}) => ({
  features: new Set(["timestamp-query", "subgroups"]),
  limits: { maxStorageBufferBindingSize: 2 ** 27, maxBufferSize: 2 ** 28, maxComputeInvocationsPerWorkgroup: 256 },
  info: { vendor: "acme", architecture: "a1", device: "", description: "", isFallbackAdapter: false }, ...more,
});
const gpu = (found) => ({ requestAdapter: async () => found });
const needs = { largestTensorBytes: 47_000_000 };

test("a good adapter is usable and described", async () => {
  const found = await probe(needs, gpu(adapter()));
  assert.equal(found.usable, true);
  assert.equal(found.reason, "found acme a1");
  assert.deepEqual(found.features, { timestampQuery: true, shaderF16: false, subgroups: true });
});

const unusable = [
  ["no WebGPU at all", null, /no WebGPU/],
  ["no adapter", gpu(null), /no adapter/],
  ["an adapter request that throws", { requestAdapter: async () => { throw new Error("driver"); } }, /driver/],
  ["too small buffers", gpu(adapter({ limits: { ...adapter().limits, maxBufferSize: 2 ** 20 } })), /45 MiB, acme a1 allows 1 MiB/],
  ["too small workgroups", gpu(adapter({ limits: { ...adapter().limits, maxComputeInvocationsPerWorkgroup: 32 } })), /32 invocations/],
];
for (const [name, fake, reason] of unusable) {
  test(`${name} is not usable, and says so`, async () => {
    const found = await probe(needs, fake);
    assert.equal(found.usable, false);
    assert.match(found.reason, reason);
    assert.throws(() => plan("webgpu", found), code("no_webgpu", reason));
    assert.equal(plan("auto", found).variant, cpuVariant());
    assert.match(plan("auto", found).choice.reason, reason);
  });
}

test("the cpu is never measured against anything when it was asked for", async () => {
  const found = await probe(needs, gpu(adapter()));
  assert.deepEqual(plan("cpu", found), { variant: cpuVariant(), choice: { kind: "cpu", reason: "The CPU was asked for" } });
  assert.equal(plan("auto", found, "it broke").choice.reason, "it broke");
  assert.deepEqual(plan("auto", found), { variant: "gpu" });
});

test("the relaxed variant is for browsers that compile its instructions, and the plain one for all others", (t) => {
  for (const [compiles, variant] of [[true, "cpu-relaxed"], [false, "cpu"]]) {
    t.mock.method(WebAssembly, "validate", (bytes) => {
      assert.equal(bytes.length, 82);
      return compiles;
    });
    assert.equal(cpuVariant(), variant);
  }
});

test("auto keeps the faster device and says by how much", async () => {
  for (const [webgpu, cpu, kind, reason] of [[2, 30, "webgpu", /2\.0 ms a layer against 30 ms on the CPU/], [500, 30, "cpu", /30 ms a layer against 500 ms on WebGPU/]]) {
    const glue = { Engine: { warmUp: async (_manifest, device) => (device === "webgpu" ? webgpu : cpu) } };
    const steps = [];
    const choice = await measure(glue, "{}", undefined, ({ device }) => steps.push(device));
    assert.equal(choice.kind, kind);
    assert.match(choice.reason, reason);
    assert.deepEqual(choice.measured, { webgpuMs: webgpu, cpuMs: cpu });
    assert.deepEqual(steps, ["webgpu", "cpu"]);
  }
});

const manifest = JSON.stringify({
  name: "m", dimensions: { vocabulary: 9, hidden: 4, feed_forward: 8 },
  files: { tokenizer: { path: "t", bytes: 1, sha256: "t" }, weights: { path: "w", bytes: 1, sha256: "w" } },
});

/** Loads an Engine over a fake WASM module with these methods, on a fake GPU. */
async function load(t, device, { warmUp = async (_m, kind) => (kind === "webgpu" ? 1 : 2), selfTest = async () => 0, create, rerank, exclusive = false } = {}) {
  t.mock.getter(globalThis, "navigator", () => ({ gpu: gpu(adapter()) }));
  const calls = [];
  const glue = {
    default: async () => undefined,
    Engine: {
      warmUp,
      load: async (_manifest, _tokenizer, _weights, kind, digest) => {
        calls.push(`load ${kind}`);
        await create?.(kind, digest);
        return { selfTest: () => selfTest(kind), info: () => ({ model: "m", device: kind }), rerank, free: () => calls.push(`free ${kind}`) };
      },
    },
  };
  const files = { manifest, tokenizer: new Uint8Array(1), weights: new Uint8Array(1) };
  const engine = await Engine.load(
    { model: "", device, cache: "default", generation: 0, exclusive, wasm: { glue, module: undefined, variant: "gpu" }, files },
    { signal: new AbortController().signal, onProgress: () => undefined },
  );
  return { engine, calls };
}
if (!("navigator" in globalThis)) Object.defineProperty(globalThis, "navigator", { configurable: true, get: () => undefined });

test("a worker's host computes the digest of the weights; where it cannot, and in a realm with others, WASM does", async (t) => {
  const digests = [];
  const create = async (_kind, digest) => { digests.push(digest); };
  await load(t, "cpu", { create, exclusive: true });
  await load(t, "cpu", { create });
  t.mock.getter(globalThis.crypto, "subtle", () => undefined);
  await load(t, "cpu", { create, exclusive: true });
  assert.deepEqual(digests, ["6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", undefined, undefined]);
});

const trap = () => { throw new WebAssembly.RuntimeError("unreachable"); };

test("a self-test that fails on WebGPU leads to the CPU with a visible reason", async (t) => {
  const wrong = async (kind) => { if (kind === "webgpu") throw new RerankError("self_test", "expected 9.2, found 0"); return 0.02; };
  const { engine, calls } = await load(t, "webgpu", { selfTest: wrong });
  assert.deepEqual(calls, ["load webgpu", "free webgpu", "load cpu"]);
  assert.equal(engine.info.device.kind, "cpu");
  assert.equal(engine.info.selfTest, 0.02);
  assert.match(engine.info.device.reason, /WebGPU gave wrong answers.*expected 9\.2, found 0/);
});

test("a self-test that fails on the CPU too is an error", async (t) => {
  const wrong = async () => { throw new RerankError("self_test", "expected 9.2, found 0"); };
  await assert.rejects(load(t, "auto", { selfTest: wrong }), code("self_test"));
});

test("a warm-up that is refused leads to the CPU of the same module; one that traps ends the engine", async (t) => {
  const { engine } = await load(t, "auto", { warmUp: async () => { throw new RerankError("no_webgpu", "refused"); } });
  assert.equal(engine.info.device.kind, "cpu");
  assert.match(engine.info.device.reason, /The warm-up on WebGPU failed: refused/);
  await assert.rejects(load(t, "auto", { warmUp: async () => trap() }), (error) => error instanceof EngineFailure && error.device === "webgpu");
});

test("a trap, a lost device and a failed GPU call end an engine on WebGPU; an ordinary error does not", async (t) => {
  const final = [() => trap(), () => { throw Object.assign(new Error("gone"), { code: "device_lost" }); }, () => { throw Object.assign(new Error("NaN"), { code: "internal" }); },
    () => { throw Object.assign(new Error("full"), { code: "out_of_memory" }); }];
  for (const act of final) {
    const { engine } = await load(t, "webgpu", { rerank: async () => act() });
    await assert.rejects(engine.run({ type: "rerank", query: "q", documents: ["d"], options: {} }, async () => true), (error) => error instanceof EngineFailure && error.device === "webgpu");
  }
  const { engine } = await load(t, "webgpu", { rerank: async () => { throw Object.assign(new Error("too short"), { code: "invalid_argument" }); } });
  await assert.rejects(engine.run({ type: "rerank", query: "q", documents: ["d"], options: {} }, async () => true), code("invalid_argument"));
});

test("on the CPU only a trap ends the engine", async (t) => {
  const { engine } = await load(t, "cpu", { rerank: async () => { throw Object.assign(new Error("NaN"), { code: "internal" }); } });
  await assert.rejects(engine.run({ type: "rerank", query: "q", documents: ["d"], options: {} }, async () => true), code("internal", /NaN/));
  const trapped = await load(t, "cpu", { rerank: async () => trap() });
  await assert.rejects(trapped.engine.run({ type: "rerank", query: "q", documents: ["d"], options: {} }, async () => true), (error) => error instanceof EngineFailure && error.device === "cpu");
});

/** A GPUAdapter class with a device whose end the test decides. */
function fakeAdapterClass(t) {
  const device = Object.assign(new EventTarget(), {});
  device.lost = new Promise((resolve) => { device.lose = resolve; });
  class GPUAdapter { async requestDevice() { return device; } }
  globalThis.GPUAdapter = GPUAdapter;
  t.after(() => { delete globalThis.GPUAdapter; });
  return { device, GPUAdapter };
}

test("a lost device rejects work that would never settle", async (t) => {
  const { device, GPUAdapter } = fakeAdapterClass(t);
  const original = GPUAdapter.prototype.requestDevice;
  const watch = new FailureWatch(false);
  await new GPUAdapter().requestDevice();
  const hanging = watch.race(new Promise(() => undefined));
  device.lose({ reason: "destroyed", message: "gone" });
  await assert.rejects(hanging, code("device_lost", /gone/));
  await assert.rejects(watch.race(Promise.resolve(1)), code("device_lost"));
  watch.stop();
  assert.equal(GPUAdapter.prototype.requestDevice, original);
});

test("an answer that came with an uncaptured GPU error is refused", async (t) => {
  const { device, GPUAdapter } = fakeAdapterClass(t);
  const watch = new FailureWatch(false);
  await new GPUAdapter().requestDevice();
  let finish;
  const raced = watch.race(new Promise((resolve) => { finish = resolve; }));
  // The answer is there first, but nobody has looked at it yet.
  finish(1);
  device.dispatchEvent(Object.assign(new Event("uncapturederror"), { error: { message: "invalid ShaderModule" } }));
  await assert.rejects(raced, code("device_lost", /invalid ShaderModule/));
  watch.stop();
});

test("what happens to a device does not matter to an engine on the CPU", async (t) => {
  const { device, GPUAdapter } = fakeAdapterClass(t);
  const watch = new FailureWatch(false);
  await new GPUAdapter().requestDevice();
  watch.reset("cpu");
  device.lose({ reason: "unknown", message: "" });
  await device.lost;
  assert.equal(await watch.race(Promise.resolve(7)), 7);
  watch.stop();
});
