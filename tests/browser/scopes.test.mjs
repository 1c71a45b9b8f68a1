// The package inside a SharedWorker and a service worker of a real browser: one model for all tabs. There are no workers of its own.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { assertCode } from "./page.mjs";
import { answer, dist } from "./server.mjs";
import { openBlank, server } from "./set-up.mjs";

const www = join(dirname(fileURLToPath(import.meta.url)), "../../www");
const { build } = createRequire(join(www, "package.json"))("esbuild");
const query = "good bridge";
const documents = ["Berlin is well known for its museums.", "The old stone bridge over the river was made in a long winter.", "A pool."];

/** What a page's own reranker finds. */
const own = (page, options = {}) => page.evaluate(async ({ query, documents, options }) => {
  const reranker = await Reranker.load({ model: model("tiny-cross-encoder"), device: "cpu", threads: 1 });
  const { results } = await reranker.rerank(query, documents, options);
  reranker.dispose();
  return results;
}, { query, documents, options });

const SHARED = (entry) => `
  import { Reranker } from "${entry}";
  let loading;
  const answer = async ({ device, query, documents, options }) => {
    try {
      const reranker = await (loading ??= Reranker.load({ model: new URL("/models/tiny-cross-encoder/", location.origin), device }));
      return { ...await reranker.rerank(query, documents, options), hasWorker: "Worker" in globalThis };
    } catch ({ code, message }) {
      return { code, message };
    }
  };
  onconnect = ({ ports: [port] }) => {
    port.onmessage = async ({ data }) => port.postMessage(await answer(data));
  };
`;

/** Asks the SharedWorker with this script, from this page. */
const ask = (page, script, question) => page.evaluate(async ([script, question]) => {
  const { port } = new SharedWorker(script, { type: "module" });
  const answered = new Promise((resolve) => { port.onmessage = ({ data }) => resolve(data); });
  port.postMessage(question);
  return answered;
}, [script, { query, documents, ...question }]);

for (const [entry, device] of [["main-thread", "cpu"], ["main-thread", "webgpu"], ["index", "cpu"]]) {
  test(`a SharedWorker with foliorank/${entry} ranks for two tabs on ${device}, with one model and with strategies`, { timeout: 180_000 }, async (t) => {
    const script = `/shared-${entry}-${device}.js`;
    server.routes[script] = answer(SHARED(`/${entry}.js`));
    const page = await openBlank(t);
    const expected = await own(page);
    const tab = await page.context().newPage();
    await tab.goto(page.url());
    server.requests.length = 0;
    const answers = await Promise.all([page, tab].map((from) => ask(from, script, { device })));
    for (const found of answers) {
      assert.equal(found.device, device, JSON.stringify(found));
      assert.deepEqual(found.results.map(({ index }) => index), expected.map(({ index }) => index));
      for (const [place, { relevanceScore }] of found.results.entries()) assert.ok(Math.abs(relevanceScore - expected[place].relevanceScore) < 1e-2);
    }
    assert.equal(server.requests.filter(({ path }) => path.endsWith("/foliorank.js")).length, 1);
    const options = { strategy: "prp-heapsort:k=1" };
    assert.deepEqual((await ask(tab, script, { device, options })).results.map(({ index }) => index), (await own(page, options)).map(({ index }) => index));
  });
}

/** The template, bundled as its user does it, controlling a page. */
async function openControlled(t) {
  const { outputFiles: [script] } = await build({
    entryPoints: [join(www, "edge/templates/service-worker/sw.js")], bundle: true, format: "esm", write: false, logLevel: "silent",
    plugins: [{ name: "package", setup: ({ onResolve }) => onResolve({ filter: /^foliorank\// }, ({ path }) => ({
      path: join(dist, `${path.slice("foliorank/".length).replace(/\.js$/, "")}.js`),
    })) }],
  });
  server.routes["/api-sw.js"] = answer(script.text);
  const page = await openBlank(t);
  await page.evaluate(async () => {
    await navigator.serviceWorker.register("/api-sw.js?model=/models/tiny-cross-encoder/", { type: "module" });
    if (!navigator.serviceWorker.controller) await new Promise((resolve) => { navigator.serviceWorker.oncontrollerchange = resolve; });
  });
  return page;
}

test("the template of a service worker answers its pages as a server does, without a network once it is loaded", { timeout: 180_000 }, async (t) => {
  const page = await openControlled(t);
  const expected = await own(page);
  const post = (headers = {}) => page.evaluate(async ({ body, headers }) => {
    const response = await fetch("/v2/rerank", { method: "POST", headers: { "content-type": "application/json", ...headers }, body });
    return { status: response.status, text: await response.text() };
  }, { body: JSON.stringify({ query, documents }), headers });
  const check = ({ status, text }) => {
    assert.equal(status, 200, text);
    const { results, model } = JSON.parse(text);
    assert.equal(model, "tiny-cross-encoder");
    assert.deepEqual(results.map(({ index }) => index), expected.map(({ index }) => index));
    for (const [place, { relevance_score: score }] of results.entries()) assert.ok(Math.abs(score - expected[place].relevanceScore) < 1e-5);
  };
  check(await post());
  assert.deepEqual(server.requests.filter(({ path }) => path === "/v2/rerank"), []);
  server.stop();
  t.after(() => server.resume());
  check(await post());
  const { text } = await post({ accept: "text/event-stream" });
  assert.match(text, /^event: progress\n[^]*\nevent: result\ndata: \{.*"results"/);
});

test("a service worker that was not given the WASM says why it cannot load it", { timeout: 120_000 }, async (t) => {
  server.routes["/bare-sw.js"] = answer(`
    import { Reranker } from "/main-thread.js";
    addEventListener("message", async ({ source, data }) => {
      source.postMessage(await Reranker.load({ model: data, device: "cpu" }).then(() => "loaded", ({ code, message, name }) => ({ code, message, name })));
    });
  `);
  const page = await openBlank(t);
  const outcome = await page.evaluate(async () => {
    const { active, installing, waiting } = await navigator.serviceWorker.register("/bare-sw.js", { type: "module" });
    const answered = new Promise((resolve) => { navigator.serviceWorker.onmessage = ({ data }) => resolve(data); });
    navigator.serviceWorker.startMessages();
    (active ?? waiting ?? installing).postMessage(model("tiny-cross-encoder"));
    return answered;
  });
  assertCode(outcome, "download", /import\(\).*ServiceWorker/);
});
