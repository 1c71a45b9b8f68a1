// What happens when the WASM side dies, in real workers of a real browser. The module is the fake of fake-wasm.mjs, because a sound one
// cannot be made to trap on demand; everything else is as shipped.
import assert from "node:assert/strict";
import { test } from "node:test";
import { launch } from "./chromium.mjs";
import { fakeModelRoutes, fakeRoutes } from "./fake-wasm.mjs";
import { assertCode, openPage } from "./page.mjs";
import { startServer } from "./server.mjs";
import { browser, openBlank, server } from "./set-up.mjs";

/** A page whose WASM is the fake with these options. */
async function withFake(t, options) {
  Object.assign(server.routes, fakeModelRoutes(), fakeRoutes(options));
  server.requests.length = 0;
  return openBlank(t);
}

for (const stray of [null, "timer", "promise"]) {
  for (const worker of [true, false]) {
    // On the page itself a stray trap is recognised by its module's name; the fake's has none.
    if (stray && !worker) continue;
    test(`a trap on WebGPU ${stray ? `in a ${stray} of its own ` : ""}${worker ? "in a worker" : "on the page"} continues on the CPU, and there it rejects`, async (t) => {
      const page = await withFake(t, { stray });
      const outcome = await page.evaluate(async (worker) => {
        const reranker = await Reranker.load({ model: model("fake"), device: "webgpu", worker, threads: 1 });
        const before = reranker.info.device.kind;
        const [first, trapped, third] = await Promise.all([
          attempt(() => reranker.rerank("bridge", ["the bridge", "the pool"])),
          attempt(() => reranker.rerank("bridge", ["trap"])),
          attempt(() => reranker.rerank("pool", ["the bridge", "the pool"])),
        ]);
        return { before, first, trapped, third, after: reranker.info.device, warnings: reranker.info.warnings };
      }, worker);
      assert.equal(outcome.before, "webgpu");
      assert.equal(outcome.first.value.device, "webgpu");
      assertCode(outcome.trapped, "internal", /unreachable/);
      assert.equal(outcome.third.value.device, "cpu");
      assert.equal(outcome.third.value.results[0].index, 1);
      assert.equal(outcome.after.kind, "cpu");
      assert.match(outcome.after.reason, /WebGPU failed and the CPU took over.*unreachable/);
      assert.equal(outcome.warnings.length, 2);
      // Each new start is a new instance, also where there is no worker to throw away.
      assert.equal(server.requests.filter(({ path }) => path === "/wasm/cpu-relaxed/foliorank.js").length, 2);
    });
  }
}

for (const document of ["lose", "garbage"]) {
  test(`a request that fails on WebGPU with "${document}" is answered on the CPU`, async (t) => {
    const page = await withFake(t);
    const outcome = await page.evaluate(async (text) => {
      const reranker = await Reranker.load({ model: model("fake"), device: "webgpu" });
      const response = await reranker.rerank("bridge", [text, "the bridge"]);
      return { response, device: reranker.info.device };
    }, document);
    assert.equal(outcome.response.device, "cpu");
    assert.deepEqual(outcome.response.results.map(({ index }) => index), [1, 0]);
    assert.equal(outcome.device.kind, "cpu");
  });
}

test("a listener that throws is reported on the page and does not keep a lost device from being replaced", async (t) => {
  const page = await withFake(t);
  page.removeAllListeners("pageerror");
  const reported = [];
  page.on("pageerror", ({ message }) => reported.push(message));
  const outcome = await page.evaluate(async () => {
    const reranker = await Reranker.load({ model: model("fake"), device: "webgpu" });
    const { device, results } = await reranker.rerank("bridge", ["lose", "the bridge"], { onProgress: ({ type }) => { throw new Error(`a bad listener: ${type}`); } });
    return { device, results: results.length };
  });
  assert.deepEqual(outcome, { device: "cpu", results: 2 });
  assert.ok(reported.some((message) => message.includes("a bad listener: restart")), reported.join());
});

test("a self-test that fails on WebGPU gives the CPU, visibly; failing on both it is self_test", async (t) => {
  const page = await withFake(t, { selfTest: { webgpu: "wrong" } });
  const info = await page.evaluate(async () => (await Reranker.load({ model: model("fake"), device: "webgpu" })).info);
  assert.equal(info.device.kind, "cpu");
  assert.match(info.device.reason, /WebGPU gave wrong answers/);
  const both = await withFake(t, { selfTest: { webgpu: "wrong", cpu: "wrong" } });
  assertCode(await both.evaluate(() => attempt(() => Reranker.load({ model: model("fake") }))), "self_test");
});

test("a self-test that traps on WebGPU starts again on the CPU with the small variant, without a second download", async (t) => {
  const page = await withFake(t, { selfTest: { webgpu: "trap" } });
  const info = await page.evaluate(async () => (await Reranker.load({ model: model("fake"), device: "webgpu" })).info);
  assert.deepEqual([info.device.kind, info.variant], ["cpu", "cpu-relaxed"]);
  assert.match(info.warnings[0], /unreachable/);
  assert.equal(server.requests.filter(({ path }) => path.endsWith("model.safetensors")).length, 1);
});

test("only the variant that is needed is downloaded", async (t) => {
  const page = await withFake(t);
  await page.evaluate(async () => (await Reranker.load({ model: model("fake"), device: "cpu" })).dispose());
  const scripts = () => server.requests.map(({ path }) => path).filter((path) => path.endsWith("foliorank.js"));
  assert.deepEqual(scripts(), ["/wasm/cpu-relaxed/foliorank.js"]);
  server.requests.length = 0;
  await page.evaluate(async () => (await Reranker.load({ model: model("fake"), device: "webgpu" })).dispose());
  assert.deepEqual(scripts(), ["/wasm/gpu/foliorank.js"]);
});

test("auto keeps the device that was faster in the warm-up and says so", async (t) => {
  for (const [warmUpMs, kind] of [[{ webgpu: 3, cpu: 40 }, "webgpu"], [{ webgpu: 400, cpu: 40 }, "cpu"]]) {
    const page = await withFake(t, { warmUpMs });
    const { device } = await page.evaluate(async () => (await Reranker.load({ model: model("fake") })).info);
    assert.equal(device.kind, kind);
    assert.deepEqual(device.measured, { webgpuMs: warmUpMs.webgpu, cpuMs: warmUpMs.cpu });
    assert.match(device.reason, /is faster here/);
  }
});

test("a site without the relaxed variant serves the plain one", async (t) => {
  const page = await withFake(t);
  server.routes["/wasm/cpu-relaxed/foliorank.js"] = (_request, response) => response.writeHead(404).end();
  const info = await page.evaluate(async () => (await Reranker.load({ model: model("fake"), device: "cpu" })).info);
  assert.deepEqual([info.variant, info.device.reason], ["cpu", "The CPU was asked for"]);
});

test("a site without the gpu variant serves auto from the CPU and refuses webgpu with download", async (t) => {
  const page = await withFake(t);
  server.routes["/wasm/gpu/foliorank.js"] = (_request, response) => response.writeHead(404).end();
  const { device } = await page.evaluate(async () => (await Reranker.load({ model: model("fake") })).info);
  assert.equal(device.kind, "cpu");
  assert.match(device.reason, /the gpu WASM module could not be loaded/);
  assertCode(await page.evaluate(() => attempt(() => Reranker.load({ model: model("fake"), device: "webgpu" }))), "download", /gpu WASM/);
});

test("without WebGPU in the browser webgpu is no_webgpu, and auto is the CPU with the reason", async (t) => {
  const plain = await launch({ webgpu: false });
  t.after(() => plain.close());
  Object.assign(server.routes, fakeModelRoutes(), fakeRoutes());
  const page = await openPage(t, plain, server);
  const outcome = await page.evaluate(async () => ({
    refused: await attempt(() => Reranker.load({ model: model("fake"), device: "webgpu" })),
    info: (await Reranker.load({ model: model("fake"), device: "auto" })).info,
  }));
  assertCode(outcome.refused, "no_webgpu", /WebGPU was asked for and cannot be used/);
  assert.deepEqual([outcome.info.device.kind, outcome.info.variant], ["cpu", "cpu-relaxed"]);
  assert.match(outcome.info.device.reason, /^No usable WebGPU/);
});

test("an abort while loading ends the download", async (t) => {
  const page = await withFake(t);
  const usual = server.routes["/models/fake/model.safetensors"];
  t.after(() => { server.routes["/models/fake/model.safetensors"] = usual; });
  let closed;
  const gone = new Promise((resolve) => { closed = resolve; });
  server.routes["/models/fake/model.safetensors"] = (_request, response) => {
    response.writeHead(200, { "content-length": 1000 }).write("half");
    response.on("close", closed);
  };
  const outcome = await page.evaluate(() => {
    const controller = new AbortController();
    const onProgress = ({ type, file, loaded }) => { if (type === "download" && file === "model.safetensors" && loaded > 0) controller.abort(); };
    return attempt(() => Reranker.load({ model: model("fake"), device: "cpu", signal: controller.signal, onProgress }));
  });
  assertCode(outcome, "aborted");
  await gone;
});

test("a page of another origin can use the package", async (t) => {
  Object.assign(server.routes, fakeModelRoutes(), fakeRoutes());
  // Everything as before, but readable from elsewhere.
  const open = Object.fromEntries(Object.entries(server.routes).map(([path, route]) => [path, (request, response, next) => {
    response.setHeader("access-control-allow-origin", "*");
    return route(request, response, next);
  }]));
  const allow = (_request, response, next) => { response.setHeader("access-control-allow-origin", "*"); next(); };
  const other = await startServer({ ...open, "/index.js": allow, "/worker.js": allow });
  t.after(() => other.close());
  const page = await openBlank(t);
  const kind = await page.evaluate(async (base) => {
    const { Reranker: Far } = await import(`${base}/index.js`);
    const reranker = await Far.load({ model: `${base}/models/fake/`, device: "cpu" });
    return (await reranker.rerank("bridge", ["the bridge"])).device;
  }, other.url);
  assert.equal(kind, "cpu");
});
