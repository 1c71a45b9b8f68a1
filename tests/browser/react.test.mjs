// The hook of foliorank/adapters/react in a page, under StrictMode of the real React, with the real WASM and the tiny model.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { assertCode } from "./page.mjs";
import { answer } from "./server.mjs";
import { openBlank, server } from "./set-up.mjs";

const www = join(dirname(fileURLToPath(import.meta.url)), "../../www");
const { build } = createRequire(join(www, "package.json"))("esbuild");

/** A component that shows the state; `show(model)` renders it, with options that are new in every render, and `show()` takes it away. */
const COMPONENT = `
  import { createElement, StrictMode, useEffect } from "react";
  import { createRoot } from "react-dom/client";
  import { useReranker } from "./dist/adapters/react.js";
  globalThis.states = [];
  function Probe({ folder }) {
    const state = useReranker({ model: new URL("/models/" + folder + "/", location.href), device: "cpu", threads: 1, onProgress: () => undefined });
    states.push(state);
    return createElement("output", null, state.status, createElement(Child, state));
  }
  // Where a test wants it, asks as soon as it is there; its effects run before its parent's.
  globalThis.early = [];
  function Child({ rerank }) {
    useEffect(() => { if (globalThis.asksEarly) early.push(rerank("good bridge", ["a bridge"]).then(({ results }) => results.length, ({ code }) => code)); }, [rerank]);
    return null;
  }
  const root = createRoot(document.body);
  globalThis.show = (folder) => root.render(createElement(StrictMode, null, folder && createElement(Probe, { folder })));
  globalThis.state = () => states.at(-1);
  globalThis.shows = async (status) => {
    while (document.querySelector("output")?.textContent !== status) await new Promise((resolve) => setTimeout(resolve, 5));
  };
`;

const { outputFiles: [script] } = await build({
  stdin: { contents: COMPONENT, resolveDir: www }, bundle: true, format: "esm", write: false, logLevel: "silent",
  define: { "process.env.NODE_ENV": '"development"' },
  plugins: [{ name: "package", setup: ({ onResolve }) => onResolve({ filter: /^foliorank$/ }, () => ({ path: "/index.js", external: true })) }],
});

async function open(t) {
  server.routes["/react.js"] = answer(script.text);
  const page = await openBlank(t);
  await page.evaluate(() => import("/react.js"));
  return page;
}

/** A worker that was ended is gone a little later. */
async function workersAre(page, count) {
  for (let round = 0; round < 1000 && page.workers().length !== count; round += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(page.workers().length, count);
}

const documents = ["Berlin is well known for its museums.", "The old stone bridge over the river was made in a long winter."];

test("a component loads once it is there, ranks as the package does, and leaves no worker behind", async (t) => {
  const page = await open(t);
  const { statuses, before, found, own, isSame } = await page.evaluate(async (documents) => {
    show("tiny-cross-encoder");
    await shows("loading");
    const { rerank } = state();
    const before = (await rerank("good bridge", documents)).results;
    await shows("ready");
    const found = (await state().rerank("good bridge", documents)).results;
    const reranker = await Reranker.load({ model: model("tiny-cross-encoder"), device: "cpu", threads: 1 });
    const own = (await reranker.rerank("good bridge", documents)).results;
    reranker.dispose();
    return { before, found, own, isSame: state().rerank === rerank, statuses: [...new Set(states.map(({ status }) => status))] };
  }, documents);
  assert.deepEqual(statuses, ["loading", "ready"]);
  assert.equal(found.length, 2);
  assert.deepEqual([before, found], [own, own]);
  assert.ok(isSame);
  // The test's own is gone.
  await workersAre(page, 1);
  await page.evaluate(() => show());
  await workersAre(page, 0);
});

test("a child may ask in its first effect, before the model is there", async (t) => {
  const page = await open(t);
  const early = await page.evaluate(async () => {
    globalThis.asksEarly = true;
    show("tiny-cross-encoder");
    await shows("ready");
    return Promise.all(globalThis.early);
  });
  // StrictMode runs the effect twice, and a call ends the one before it.
  assert.deepEqual(early, ["aborted", 1]);
  await page.evaluate(() => show());
});

test("a call ends the one before it, and the caller's own signal ends it too", async (t) => {
  const page = await open(t);
  const { first, second, third } = await page.evaluate(async (documents) => {
    show("tiny-cross-encoder");
    await shows("ready");
    const many = Array.from({ length: 2000 }, (_, index) => `${documents[1]} ${index}`);
    const first = attempt(() => state().rerank("good bridge", many));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const second = attempt(() => state().rerank("good bridge", documents));
    const outcomes = [await first, await second];
    const stopping = new AbortController();
    const third = attempt(() => state().rerank("good bridge", many, { signal: stopping.signal }));
    setTimeout(() => stopping.abort(), 20);
    return { first: outcomes[0], second: outcomes[1], third: await third };
  }, documents);
  assertCode(first, "aborted");
  assert.equal(second.value.results.length, 2);
  assertCode(third, "aborted");
});

test("a model that is not there is an error until another is asked for, and the same options load nothing anew", async (t) => {
  const page = await open(t);
  const { error, refused, found } = await page.evaluate(async () => {
    show("none");
    await shows("failed");
    const error = state().error.code;
    const refused = await attempt(() => state().rerank("q", ["a"]));
    show("tiny-cross-encoder");
    await shows("ready");
    const statuses = states.map(({ status }) => status).filter((status, place, all) => status !== all[place - 1]);
    return { error, refused, found: { statuses, error: state().error, count: (await state().rerank("q", ["a"])).results.length } };
  });
  assert.equal(error, "download");
  assertCode(refused, "download");
  assert.deepEqual(found, { statuses: ["loading", "failed", "loading", "ready"], error: undefined, count: 1 });
  const loads = () => server.requests.filter(({ path }) => path.endsWith("tiny-cross-encoder/model.json")).length;
  const before = loads();
  const isSame = await page.evaluate(async () => {
    const [{ reranker }, renders] = [state(), states.length];
    show("tiny-cross-encoder");
    while (states.length === renders) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 100));
    return state().reranker === reranker;
  });
  assert.ok(isSame);
  assert.equal(loads(), before);
});

test("a component that goes ends its call, whoever judges, and later calls are refused", { timeout: 120_000 }, async (t) => {
  const page = await open(t);
  const { running, late } = await page.evaluate(async (text) => {
    show("tiny-cross-encoder");
    await shows("ready");
    const { rerank } = state();
    const running = attempt(() => rerank("good bridge", [text], { strategy: "pointwise", judge: () => new Promise(() => undefined) }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    show();
    return { running: await running, late: await attempt(() => rerank("q", ["a"])) };
  }, documents[1]);
  assertCode(running, "aborted");
  assertCode(late, "invalid_argument", /not mounted/);
});
