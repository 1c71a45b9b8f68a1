// Late interaction and sparse encoders in a page with the real WASM: what Embedder gives, and what Index finds by it. Late interaction is
// the tiny bi-encoder's weights read token by token; the sparse encoder is splade-tiny, against PyTorch (tests/golden/sparse.json).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { assertCode } from "./page.mjs";
import { answer } from "./server.mjs";
import { openBlank, server } from "./set-up.mjs";
import { mixedDocuments } from "./texts.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { cases } = JSON.parse(readFileSync(join(here, "../golden/sparse.json"), "utf8"));
const bi = JSON.parse(readFileSync(join(here, "../../models/tiny-bi-encoder/model.json"), "utf8"));
// Its known answers are those of one vector a text.
const manifest = JSON.stringify({ ...bi, name: "tiny-late", architecture: "bert-late-interaction", pooling: "none", self_test: { ...bi.self_test, tolerance: 1 } });

/** A page with `load(name, options)` and `reranker(name)` on the CPU, and Index. */
async function open(t) {
  server.routes["/models/tiny-late/model.json"] = answer(manifest, "json");
  for (const file of ["tokenizer.json", "model.safetensors"]) {
    server.routes[`/models/tiny-late/${file}`] = (request, _, next) => {
      request.url = request.url.replace("tiny-late", "tiny-bi-encoder");
      next();
    };
  }
  const page = await openBlank(t);
  await prepare(page);
  return page;
}

const prepare = (page) => page.evaluate(async () => {
  const { Embedder, Index } = await import("/index.js");
  globalThis.Index = Index;
  globalThis.load = (name, options) => Embedder.load({ model: model(name), device: "cpu", threads: 1, ...options });
  globalThis.rawScores = async (name, query, documents) => {
    const reranker = await Reranker.load({ model: model(name), device: "cpu", threads: 1 });
    const scores = [];
    for (const { index, relevanceScore } of (await reranker.rerank(query, documents, { rawScores: true })).results) scores[index] = relevanceScore;
    return scores;
  };
});

const close = (found, expected, tolerance, what) => assert.ok(Math.abs(found - expected) <= tolerance, `${what}: ${found} is not ${expected}`);

test("a sparse encoder gives the weights of the reference, whoever computes them", async (t) => {
  const page = await open(t);
  const runs = await page.evaluate(async (texts) => {
    const runs = [];
    for (const threads of [1, 2]) {
      const embedder = await load("splade-tiny", { threads });
      const { vectors, dimensions, lengths, ids } = await embedder.embed(texts);
      runs.push({ vectors: [...vectors], dimensions, lengths: [...lengths], ids: [...ids] });
      embedder.dispose();
    }
    return runs;
  }, cases.map(({ text }) => text));
  assert.deepEqual(runs[1], runs[0]);
  const { vectors, dimensions, lengths, ids } = runs[0];
  assert.equal(dimensions, 30_522);
  assert.equal(lengths.length, cases.length);
  let from = 0;
  for (const [place, { text, pieces, weights }] of cases.entries()) {
    const span = [from, from += lengths[place]];
    const found = new Map(ids.slice(...span).map((id, at) => [id, vectors.slice(...span)[at]]));
    for (const id of new Set([...pieces, ...found.keys()])) close(found.get(id) ?? 0, weights[pieces.indexOf(id)] ?? 0, 1e-3, `${text}: ${id}`);
  }
  assert.equal(from, vectors.length);
});

test("the index finds by tokens what late interaction scores, and after a reload without reading again", async (t) => {
  const page = await open(t);
  const documents = mixedDocuments(30, [3, 10, 40]);
  const query = "good stone bridge";
  const { results, hybrid, scores, tokens, lengths } = await page.evaluate(async ({ documents, query }) => {
    const embedder = await load("tiny-late");
    const index = await Index.open({ name: "late", embedder });
    await index.add(documents.map((text, number) => ({ id: String(number), text })));
    const asked = await embedder.embed([query], { kind: "query" });
    const { lengths, vectors, dimensions } = await embedder.embed(documents);
    return {
      results: await index.search(query, { mode: "late", top: 30 }), hybrid: await index.search(query, { top: 3 }), scores: await rawScores("tiny-late", query, documents),
      tokens: asked.lengths[0], lengths: { sum: lengths.reduce((sum, length) => sum + length), count: lengths.length, rows: vectors.length / dimensions },
    };
  }, { documents, query });
  assert.deepEqual([lengths.count, lengths.rows], [30, lengths.sum]);
  assert.equal(results.length, 30);
  // A score of the reranker is the mean over the query's tokens; the index keeps its vectors as int8.
  for (const { id, score, scores: sides } of results) {
    close(score / tokens, scores[id], 0.01, id);
    assert.deepEqual(sides, { late: score });
  }
  assert.ok(hybrid.some(({ scores: sides }) => sides.late !== undefined && sides.bm25 !== undefined));
  await page.reload();
  await page.waitForFunction(() => document.title === "ready");
  await prepare(page);
  const after = await page.evaluate(async (query) => {
    const embedder = await load("tiny-late");
    const read = [];
    const counting = { info: embedder.info, embed: (texts, options) => { read.push(...texts); return embedder.embed(texts, options); } };
    const index = await Index.open({ name: "late", embedder: counting });
    return { results: await index.search(query, { mode: "late", top: 30 }), read };
  }, query);
  assert.deepEqual(after, { results, read: [query] });
});

test("the index finds by weights what a sparse encoder scores", async (t) => {
  const page = await open(t);
  const documents = ["Berlin is well known for its museums.", "An old stone bridge.", "Berlin has 3,520,031 inhabitants."];
  const query = "How many people live in Berlin?";
  const { results, scores, gone } = await page.evaluate(async ({ documents, query }) => {
    const index = await Index.open({ name: "sparse", embedder: await load("splade-tiny") });
    await index.add(documents.map((text, number) => ({ id: String(number), text })));
    const results = await index.search(query, { mode: "sparse" });
    await index.remove(["2"]);
    return { results, scores: await rawScores("splade-tiny", query, documents), gone: (await index.search(query, { mode: "sparse" })).map(({ id }) => id) };
  }, { documents, query });
  assert.deepEqual(results.map(({ id }) => id), scores[1] > 0 ? ["2", "0", "1"] : ["2", "0"]);
  for (const { id, score, scores: sides } of results) {
    close(score, scores[id], 1e-3, id);
    assert.deepEqual(sides, { sparse: score });
  }
  assert.deepEqual(gone, results.map(({ id }) => id).filter((id) => id !== "2"));
});

test("a mode of another kind, and a strategy that compares single vectors, are refused by name", async (t) => {
  const page = await open(t);
  const outcomes = await page.evaluate(async () => {
    const embedder = await load("tiny-late");
    const index = await Index.open({ name: "kinds", embedder });
    await index.add([{ id: "a", text: "a bridge" }]);
    const reranker = await Reranker.load({ model: model("tiny-cross-encoder"), device: "cpu", threads: 1 });
    return [
      await attempt(() => index.search("bridge", { mode: "dense" })), await attempt(() => index.search("bridge", { mode: "sparse" })),
      await attempt(() => reranker.rerank("bridge", ["a", "b"], { strategy: "rocchio", embedder })),
    ];
  });
  for (const [place, message] of [/late vectors, found "dense"/, /late vectors, found "sparse"/, /one vector a text.*found late/].entries()) {
    assertCode(outcomes[place], "invalid_argument", message);
  }
});
