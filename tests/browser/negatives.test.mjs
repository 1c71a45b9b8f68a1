// Hard negatives in a page, with the real WASM: by rules with the L-12 model, and with a scripted language model that is reached through
// the AI SDK. Interrupted runs go on without paying twice, and no key is anywhere but in the requests.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { bundleLlm, startLlm } from "../../www/test/llm-server.mjs";
import { assertCode } from "./page.mjs";
import { answer } from "./server.mjs";
import { openBlank, server } from "./set-up.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const www = join(root, "www");
const KEY = "sk-test-0123456789";
const REPORT = readFileSync(join(root, "src/negatives/rules/tests/report.txt"), "utf8");
const TOWNS = Array.from({ length: 3 }, (_, town) => `Holm${town} had ${10 + town} water mills on its river in 2021.`).join(" ");

const esbuild = createRequire(join(www, "package.json"))("esbuild");
const bundled = await bundleLlm(esbuild, www, true);

const servers = [];
after(() => Promise.all(servers.map((llm) => llm.close())));
async function startModel(mood) {
  const llm = await startLlm(mood);
  servers.push(llm);
  return llm;
}

/** A page with `run(options)` on the towns' page: the tiny model judges, the server at `baseUrl` writes. */
async function open(t) {
  server.routes["/llm-for-tests.js"] = answer(bundled);
  const page = await openBlank(t);
  await prepare(page);
  return page;
}

const prepare = (page) => page.evaluate(async ({ towns, key }) => {
  const { generateNegatives } = await import("/index.js");
  const { openAiCompatible } = await import("/llm-for-tests.js");
  const judge = await Reranker.load({ model: model("tiny-cross-encoder"), device: "cpu", threads: 1 });
  globalThis.run = async (baseUrl, options = {}) => {
    const llm = openAiCompatible({ baseUrl, model: "m", apiKey: key, maxRetries: 0 });
    const { groups, funnel, usage, stopped, warnings } = await generateNegatives({ text: towns, title: "towns" }, {
      judge, llm, settings: { candidates: 3, rephrase: 0.5 }, ...options,
    });
    return { groups, funnel, usage, warnings, stopped: stopped && { code: stopped.code, message: stopped.message, name: stopped.name } };
  };
}, { towns: TOWNS, key: KEY });

async function callsOfAWholeRun(page) {
  const llm = await startModel();
  const { groups, stopped } = await page.evaluate((url) => run(url, { cache: false }), llm.baseUrl);
  assert.deepEqual([groups.length, stopped], [3, undefined]);
  return llm.requests.length;
}

const balanced = ({ generated, kept, deaths }) => generated === kept + Object.values(deaths).reduce((sum, n) => sum + n, 0);

test("rules make groups of a report with the real model, with spans of the page, and files hold them", async (t) => {
  const page = await openBlank(t);
  const text = `Überblick 😀\n\n${REPORT}`;
  const outcome = await page.evaluate(async (text) => {
    const { exportGroups, generateNegatives, importGroups, rescoreNegative } = await import("/index.js");
    const judge = await Reranker.load({ model: model("ms-marco-minilm-l12-v2"), device: "cpu" });
    const stages = [];
    const made = await generateNegatives({ text, title: "report" }, { judge, onProgress: ({ stage, funnel }) => stages.push([stage, funnel.positives.generated]) });
    const files = {};
    for (const format of ["groups", "triplets", "colhnque"]) files[format] = await exportGroups(made.groups, format);
    const back = await importGroups(files.groups);
    const [group] = made.groups;
    const same = await rescoreNegative(group, group.negatives[0], { judge });
    const other = await rescoreNegative(group, { ...group.negatives[0], query: "Where do penguins live?" }, { judge });
    return { made, stages, files, back, same, other };
  }, text);
  const { made: { groups, funnel, warnings, usage }, stages, files, back, same, other } = outcome;
  const negatives = groups.flatMap((group) => group.negatives);
  const words = new Set(text.toLowerCase().split(/[\s(]+/).map((word) => word.replace(/[.,;:)]+$/, "")));
  assert.ok(groups.length >= 5 && negatives.length >= 15, `${groups.length} groups, ${negatives.length} negatives`);
  assert.ok(balanced(funnel.positives) && balanced(funnel.negatives));
  for (const { positive, page: { id }, source, negatives } of groups) {
    assert.equal(text.slice(positive.span.start, positive.span.end), positive.answer);
    const margins = negatives.map(({ margin }) => margin);
    assert.deepEqual(margins, [...margins].sort((a, b) => a - b));
    assert.ok(negatives.every(({ to, property }) => property && !words.has(to.toLowerCase())), JSON.stringify(negatives));
    assert.deepEqual([id, source.provider], ["report", "rules"]);
  }
  assert.deepEqual([usage.calls, warnings.length], [0, 1]);
  assert.ok(stages.length >= groups.length && stages.every(([stage, generated]) => stage === "judge" && generated > 0));
  assert.deepEqual(back, groups);
  const line = JSON.parse(files.groups.split("\n")[0]);
  assert.equal(Buffer.from(text).subarray(line.positive.span.start, line.positive.span.end).toString(), line.positive.answer, "bytes in the file");
  assert.equal(files.triplets.trim().split("\n").length, negatives.length);
  assert.deepEqual(Object.keys(JSON.parse(files.colhnque)), ["image", "positive_queries", "negative_queries", "answer", "text"]);
  assert.ok(Math.abs(same.margin - groups[0].negatives[0].margin) < 1e-4 && other.margin > same.margin + 1, JSON.stringify([same, other]));
});

test("a model's queries are verified by its two votes, and a liar's negatives all die", async (t) => {
  const page = await open(t);
  const llm = await startModel();
  const { groups, funnel, usage, warnings } = await page.evaluate((url) => run(url, { cache: false }), llm.baseUrl);
  assert.equal(usage.calls, llm.requests.length);
  assert.deepEqual([usage.inputTokens, usage.outputTokens], [100 * usage.calls, 10 * usage.calls]);
  assert.ok(balanced(funnel.positives) && balanced(funnel.negatives) && balanced(funnel.restated));
  for (const { positive, negatives, source } of groups) {
    assert.deepEqual(positive.votes, { a: true, b: true });
    assert.ok(negatives.length === 3 && negatives.every(({ votes, margin }) => !votes.a && !votes.b && typeof margin === "number"));
    assert.deepEqual([source.provider, source.model], [`openai:${llm.baseUrl}`, "m"]);
  }
  assert.match(warnings.join(), /verified them too/);
  llm.feel(() => "lies");
  const lied = await page.evaluate((url) => run(url, { cache: false }), llm.baseUrl);
  assert.deepEqual([lied.funnel.negatives.kept, lied.funnel.negatives.deaths.both_prompts], [0, lied.funnel.negatives.generated]);
});

/** Width and height of a PNG. */
const sizeOf = (png) => [png.readUInt32BE(16), png.readUInt32BE(20)];

test("a page that is only an image reaches a model scaled and whole; what cannot be read is refused before anything is asked", async (t) => {
  const page = await open(t);
  const llm = await startModel();
  const loads = () => server.requests.filter(({ path }) => path.startsWith("/wasm/images/")).length;
  const before = loads();
  const outcome = await page.evaluate(async (baseUrl) => {
    const { generateNegatives, exportGroups } = await import("/index.js");
    const { openAiCompatible } = await import("/llm-for-tests.js");
    const judge = await Reranker.load({ model: model("tiny-cross-encoder"), device: "cpu", threads: 1 });
    const canvas = new OffscreenCanvas(2000, 1000);
    const context = canvas.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, 2000, 1000);
    context.fillStyle = "black";
    context.fillRect(0, 0, 2000, 500);
    const image = await canvas.convertToBlob();
    const options = { judge, llm: openAiCompatible({ baseUrl, model: "m", maxRetries: 0 }), imageSide: 500, cache: false, settings: { candidates: 3 } };
    const torn = await image.slice(0, image.size / 2).arrayBuffer();
    const refused = [
      await attempt(() => generateNegatives({ image: new Uint8Array(torn) }, options)),
      await attempt(() => generateNegatives({ image }, { ...options, imageSide: 9 })),
      await attempt(() => generateNegatives({ image }, { judge })),
      await attempt(() => generateNegatives({ image: "page.png" }, options)),
    ];
    const { groups, warnings } = await generateNegatives({ image, title: "page.png" }, options);
    return { refused, groups, warnings, columns: await exportGroups(groups, "colhnque") };
  }, llm.baseUrl);
  for (const [at, words] of [/PNG/, /longestSide/, /llm/, /Blob/].entries()) assertCode(outcome.refused[at], "invalid_argument", words);
  assert.ok(loads() > before);
  assert.equal(outcome.groups.length, 3);
  for (const { page: { id, text, image }, positive, negatives } of outcome.groups) {
    assert.deepEqual([id, text, image, positive.score], ["page.png", "", "page.png", null]);
    assert.ok(negatives.length === 3 && negatives.every(({ margin, votes }) => margin === null && votes));
  }
  assert.match(outcome.warnings.join(), /nothing was scored/);
  assert.equal(JSON.parse(outcome.columns.split("\n")[0]).image, "page.png");
  const images = llm.requests.flatMap(({ body }) => body.messages[1].content).filter(({ type }) => type === "image_url");
  assert.ok(images.length >= 5, `${images.length} of ${llm.requests.length} requests`);
  const [start] = images[0].image_url.url.split(",");
  assert.equal(start, "data:image/png;base64");
  for (const { image_url: { url } } of images) assert.deepEqual(sizeOf(Buffer.from(url.split(",")[1], "base64")), [500, 250]);
});

test("a run that a failing server, a budget, an abort or a reload interrupts goes on and repeats no paid call", async (t) => {
  const page = await open(t);
  const whole = await callsOfAWholeRun(page);
  const llm = await startModel((number) => (number >= 4 ? "down" : "perfect"));
  const failed = await page.evaluate((url) => run(url), llm.baseUrl);
  assertCode(failed.stopped, "llm", /HTTP 500/);
  assert.equal(llm.requests.length, 5);
  llm.feel(() => "perfect");
  const stopped = await page.evaluate((url) => run(url, { limits: { calls: 2 } }), llm.baseUrl);
  assertCode(stopped.stopped, "budget");
  assert.deepEqual([llm.requests.length, stopped.usage.calls, stopped.usage.cached], [7, 2, 4]);
  const aborted = await page.evaluate(async (url) => {
    const controller = new AbortController();
    return attempt(() => run(url, { signal: controller.signal, onProgress: ({ usage }) => { if (usage.calls === 1) controller.abort(); } }));
  }, llm.baseUrl);
  assertCode(aborted, "aborted");
  await page.reload();
  await page.waitForFunction(() => document.title === "ready");
  await prepare(page);
  const before = llm.requests.length;
  const done = await page.evaluate((url) => run(url), llm.baseUrl);
  assert.deepEqual([done.stopped, done.groups.length], [undefined, 3]);
  const bodies = llm.requests.map(({ body }) => JSON.stringify(body));
  // The one that failed was not paid for.
  assert.equal(new Set(bodies).size, whole);
  assert.equal(bodies.length, whole + 1);
  assert.ok(before < llm.requests.length);
  const again = await page.evaluate((url) => run(url), llm.baseUrl);
  assert.deepEqual([again.usage.calls, again.usage.cached, llm.requests.length], [0, whole, whole + 1]);
  assert.deepEqual(again.groups.map(({ positive }) => positive), done.groups.map(({ positive }) => positive));
});

test("a budget in money stops before the call that would go over", async (t) => {
  const page = await open(t);
  const llm = await startModel();
  const limits = { cost: 0.004, priceIn: 1, priceOut: 2 };
  const { stopped, usage } = await page.evaluate(([url, limits]) => run(url, { cache: false, limits }), [llm.baseUrl, limits]);
  assertCode(stopped, "budget");
  assert.ok(usage.calls > 0 && usage.cost <= limits.cost, JSON.stringify(usage));
  assert.ok(Math.abs(usage.cost - usage.calls * (100 + 2 * 10) / 1e6) < 1e-9);
});

test("a key is in the requests and nowhere else: not in storage, exports, errors or results", async (t) => {
  const page = await open(t);
  const llm = await startModel((number) => (number === 2 ? "echo" : "perfect"));
  const everything = await page.evaluate(async (url) => {
    const { exportGroups } = await import("/index.js");
    const results = [await run(url)];
    const files = await exportGroups(results[0].groups);
    const stored = [];
    for (const { name } of await indexedDB.databases()) {
      const database = await new Promise((resolve, reject) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      for (const store of database.objectStoreNames) {
        const read = database.transaction(store).objectStore(store);
        for (const what of ["getAll", "getAllKeys"]) {
          stored.push(await new Promise((resolve) => { read[what]().onsuccess = ({ target }) => resolve(target.result); }));
        }
      }
      database.close();
    }
    return { results, files, stored, local: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie, url: location.href };
  }, llm.baseUrl);
  assert.ok(everything.stored.flat().length > 4, "answers are kept");
  assert.ok(llm.requests.every(({ headers }) => headers.authorization === `Bearer ${KEY}`));
  llm.feel(() => "refuse");
  const refused = await page.evaluate((url) => run(url, { cache: false }), llm.baseUrl);
  assertCode(refused.stopped, "llm", /HTTP 401: wrong key: Bearer \*\*\*/);
  assert.ok(!JSON.stringify([everything, refused]).includes(KEY));
});

test("what cannot be worked on is refused with a reason", async (t) => {
  const page = await open(t);
  const outcomes = await page.evaluate(async () => {
    const { exportGroups, generateNegatives, importGroups } = await import("/index.js");
    const judge = { rerank: async () => ({ results: [] }) };
    return {
      empty: await attempt(() => generateNegatives({ text: " " }, { judge })),
      judge: await attempt(() => generateNegatives({ text: "x" }, {})),
      setting: await attempt(() => generateNegatives({ text: "x" }, { judge, settings: { variants: 51 } })),
      unknown: await attempt(() => generateNegatives({ text: "x" }, { judge, settings: { variant: 5 } })),
      limit: await attempt(() => generateNegatives({ text: "x" }, { judge, limits: { cost: -1 } })),
      format: await attempt(() => exportGroups([], "csv")),
      line: await attempt(() => importGroups("{}\n")),
    };
  });
  assertCode(outcomes.empty, "invalid_argument", /page/);
  assertCode(outcomes.judge, "invalid_argument", /judge/);
  assertCode(outcomes.setting, "invalid_argument", /variants: expected 0 to 50/);
  assertCode(outcomes.unknown, "invalid_argument", /variant/);
  assertCode(outcomes.limit, "invalid_argument", /limits.cost/);
  assertCode(outcomes.format, "invalid_argument", /csv/);
  assertCode(outcomes.line, "invalid_argument", /line 1/);
});

test("an answer is kept and found again although the browser has closed the connection, and what cannot be kept says what to do", async (t) => {
  const page = await open(t);
  const { found, lost } = await page.evaluate(async () => {
    const { storedAnswers } = await import("/index.js");
    const answers = storedAnswers("answers-for-a-test");
    const { transaction } = IDBDatabase.prototype;
    const before = (once) => {
      IDBDatabase.prototype.transaction = function begin(...args) {
        IDBDatabase.prototype.transaction = transaction;
        once(this);
        return transaction.apply(this, args);
      };
    };
    await answers.put("a", { text: "one" });
    before((database) => database.close());
    await answers.put("b", { text: "two" });
    before((database) => database.close());
    const found = [await answers.get("a"), await answers.get("b"), await answers.get("c")];
    before(() => { throw new DOMException("the disk is full", "QuotaExceededError"); });
    return { found, lost: await attempt(() => answers.put("d", { text: "three" })) };
  });
  assert.deepEqual(found, [{ text: "one" }, { text: "two" }, null]);
  assertCode(lost, "storage", /disk is full.*cache: false/);
});
