// Embedder in a page with the real WASM: the tiny bi-encoder against PyTorch `transformers` (tests/golden/embed.json), and what it shares
// with Reranker: workers, progress, abort.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { assertCode } from "./page.mjs";
import { openBlank } from "./set-up.mjs";
import { mixedDocuments } from "./texts.mjs";

const { cases } = JSON.parse(readFileSync(join(dirname(fileURLToPath(import.meta.url)), "../golden/embed.json"), "utf8"));

/** A page with `load(options)`, which gives an Embedder of the tiny bi-encoder. */
async function open(t) {
  const page = await openBlank(t);
  await page.evaluate(async () => {
    const { Embedder } = await import("/index.js");
    globalThis.load = (options) => Embedder.load({ model: model("tiny-bi-encoder"), device: "cpu", threads: 1, ...options });
  });
  return page;
}

test("vectors are those of the native golden, as documents and as queries", async (t) => {
  const page = await open(t);
  const runs = await page.evaluate(async (texts) => {
    const embedder = await load();
    const runs = [];
    for (const options of [{}, { kind: "query" }]) {
      const { vectors, dimensions, usage } = await embedder.embed(texts, options);
      runs.push({ vectors: [...vectors], dimensions, passages: usage.passages });
    }
    return runs;
  }, cases.map(({ text }) => text));
  const expected = cases.flatMap(({ vector }) => vector);
  for (const { vectors, dimensions, passages } of runs) {
    assert.deepEqual([dimensions, passages, vectors.length], [32, cases.length, expected.length]);
    for (const [place, number] of vectors.entries()) assert.ok(Math.abs(number - expected[place]) < 1e-5, `${number} is not ${expected[place]}`);
  }
});

test("the cosine of a query's vector and a document's is the score of the pair", async (t) => {
  const page = await open(t);
  const documents = mixedDocuments(40, [1, 5, 20, 60]);
  const { products, scores } = await page.evaluate(async (documents) => {
    const [embedder, reranker] = [await load(), await Reranker.load({ model: model("tiny-bi-encoder"), device: "cpu", threads: 1 })];
    const [query, all] = [await embedder.embed(["good bridge"], { kind: "query" }), await embedder.embed(documents)];
    const products = documents.map((_, row) => query.vectors.reduce((sum, number, at) => sum + number * all.vectors[row * all.dimensions + at], 0));
    const scores = [];
    for (const { index, relevanceScore } of (await reranker.rerank("good bridge", documents, { rawScores: true })).results) scores[index] = relevanceScore;
    return { products, scores };
  }, documents);
  for (const [place, product] of products.entries()) assert.ok(Math.abs(product - scores[place]) < 1e-5, `${product} is not ${scores[place]}`);
});

test("several workers give the vectors of one, in the order of the texts", async (t) => {
  const page = await open(t);
  const documents = mixedDocuments(200, [1, 5, 20, 60]);
  const { one, several, events } = await page.evaluate(async (documents) => {
    const [single, shared] = [await load(), await load({ threads: 3 })];
    while (shared.info.threads < 3) await new Promise((resolve) => setTimeout(resolve, 10));
    const events = [];
    const several = await shared.embed(documents, { onProgress: (event) => events.push(event) });
    return { one: [...(await single.embed(documents)).vectors], several: [...several.vectors], events };
  }, documents);
  assert.equal(one.length, 200 * 32);
  for (const [place, number] of several.entries()) assert.ok(Math.abs(number - one[place]) < 1e-5);
  assert.equal(Math.max(...events.map(({ threads }) => threads)), 3);
  const { tokens, totalTokens } = events.at(-1);
  assert.equal(tokens, totalTokens);
});

test("an abort stops the work between batches, and the next call is answered", async (t) => {
  const page = await open(t);
  const { stopped, batches, after, none } = await page.evaluate(async (documents) => {
    const embedder = await load();
    const controller = new AbortController();
    let batches = 0;
    const onProgress = () => {
      batches += 1;
      if (batches === 3) controller.abort();
    };
    const stopped = await attempt(() => embedder.embed(documents, { signal: controller.signal, onProgress }));
    const none = await embedder.embed([]);
    return { stopped, batches, after: (await embedder.embed(["a"])).vectors.length, none: [none.vectors.length, none.dimensions] };
  }, mixedDocuments(3000, [20, 60]));
  assertCode(stopped, "aborted");
  assert.deepEqual([batches, after, none], [3, 32, [0, 32]]);
});

test("a cross-encoder is refused by name, and bad arguments as ever", async (t) => {
  const page = await open(t);
  const outcomes = await page.evaluate(async () => {
    const embedder = await load();
    const outcomes = [
      await attempt(() => load({ model: model("tiny-cross-encoder") })), await attempt(() => embedder.embed("a")),
      await attempt(() => embedder.embed(["a", 1])), await attempt(() => embedder.embed(["a"], { kind: "page" })),
    ];
    embedder.dispose();
    return [...outcomes, await attempt(() => embedder.embed(["a"]))];
  });
  for (const [place, message] of [/tiny-cross-encoder/, /texts must be an array/, /texts\[1\]/, /"query", "document"/, /was disposed/].entries()) {
    assertCode(outcomes[place], "invalid_argument", message);
  }
});
