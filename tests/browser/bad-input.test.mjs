// The real WASM on the CPU with the tiny cross-encoder: ordinary use, and every kind of bad input the package promises to survive.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { assertCode } from "./page.mjs";
import { answer } from "./server.mjs";
import { openBlank, server } from "./set-up.mjs";

const tiny = join(dirname(fileURLToPath(import.meta.url)), "../../models/tiny-cross-encoder");
const manifest = JSON.parse(readFileSync(join(tiny, "model.json"), "utf8"));
const weights = readFileSync(join(tiny, manifest.files.weights.path));
const tokenizer = readFileSync(join(tiny, manifest.files.tokenizer.path));
const WEIGHTS = `/models/tiny-cross-encoder/${manifest.files.weights.path}`;
const TOKENIZER = `/models/tiny-cross-encoder/${manifest.files.tokenizer.path}`;
const MANIFEST = "/models/tiny-cross-encoder/model.json";

const open = async (t) => {
  for (const path of Object.keys(server.routes)) if (path.startsWith("/models/")) delete server.routes[path];
  server.requests.length = 0;
  return openBlank(t);
};

/** A page with a reranker on the CPU in `kept.reranker`. */
async function loaded(t) {
  const page = await open(t);
  await page.evaluate(async () => { kept.reranker = await Reranker.load({ model: model("tiny-cross-encoder"), device: "cpu" }); });
  return page;
}

const fetched = (path) => server.requests.filter((request) => request.path === path).length;
const load = (page, options = {}) => page.evaluate(
  (options) => attempt(async () => (await Reranker.load({ model: model("tiny-cross-encoder"), device: "cpu", ...options })).info), options,
);

test("the tiny model ranks on the CPU, in a worker and on the page, with the same scores", async (t) => {
  const page = await open(t);
  const [worker, here] = await page.evaluate(async () => {
    const answers = [];
    for (const worker of [true, false]) {
      const reranker = await Reranker.load({ model: model("tiny-cross-encoder"), device: "cpu", worker });
      answers.push({ info: reranker.info, ...await reranker.rerank("good bridge", [
        "Berlin is well known for its museums.", "The old stone bridge over the river was made in a long winter.",
      ], { rawScores: true }) });
    }
    return answers;
  });
  assert.deepEqual([worker.info.device.kind, worker.info.variant, worker.info.model], ["cpu", "cpu-relaxed", "tiny-cross-encoder"]);
  // The weights are random: the order means nothing, and the known answer decides.
  assert.deepEqual(worker.results.map(({ index, rank }) => [index, rank]), [[0, 1], [1, 2]]);
  const known = manifest.self_test.cases.find(({ query }) => query === "good bridge");
  assert.ok(Math.abs(worker.results[1].relevanceScore - known.score) < 1e-4, `${worker.results[1].relevanceScore} is not ${known.score}`);
  assert.deepEqual(here.results, worker.results);
  assert.ok(worker.usage.tokens > 0 && worker.usage.batches > 0 && worker.usage.passages === 2);
});

test("scores are 0 to 1 unless raw ones are asked for, and topN keeps the best", async (t) => {
  const page = await loaded(t);
  const { squeezed, raw, top } = await page.evaluate(async () => {
    const documents = ["old bridge", "a river in winter", "museums", "stone"];
    return {
      squeezed: (await kept.reranker.rerank("good bridge", documents)).results,
      raw: (await kept.reranker.rerank("good bridge", documents, { rawScores: true })).results,
      top: (await kept.reranker.rerank("good bridge", documents, { topN: 2 })).results,
    };
  });
  for (const [place, { relevanceScore, index }] of squeezed.entries()) {
    assert.equal(index, raw[place].index);
    assert.ok(Math.abs(relevanceScore - 1 / (1 + Math.exp(-raw[place].relevanceScore))) < 1e-5);
  }
  assert.deepEqual(top, squeezed.slice(0, 2));
  assert.ok(squeezed.every(({ relevanceScore }, place) => place === 0 || relevanceScore <= squeezed[place - 1].relevanceScore));
});

test("an empty query or no documents give an empty result", async (t) => {
  const page = await loaded(t);
  const [noQuery, noDocuments] = await page.evaluate(async () => [
    await attempt(() => kept.reranker.rerank("", ["a", "b"])), await attempt(() => kept.reranker.rerank("bridge", [])),
  ]);
  for (const { value } of [noQuery, noDocuments]) assert.deepEqual(value.results, []);
});

test("wrong arguments are invalid_argument", async (t) => {
  const page = await loaded(t);
  const outcomes = await page.evaluate(() => Promise.all([
    attempt(() => kept.reranker.rerank("q", "no array")), attempt(() => kept.reranker.rerank("q", [1])),
    attempt(() => kept.reranker.rerank("q", ["a"], { topN: 0 })), attempt(() => kept.reranker.rerank("q", ["a"], { window: 10, overlap: 10 })),
    attempt(() => Reranker.load({ model: "" })),
  ]));
  for (const outcome of outcomes) assertCode(outcome, "invalid_argument");
});

test("empty, binary, emoji, surrogate and very long-worded documents are each scored, and passages lie inside them", async (t) => {
  const page = await loaded(t);
  const { results, texts } = await page.evaluate(async () => {
    const documents = [
      "", " \n\t ", "😀🎉👩‍👩‍👧‍👦🇩🇪".repeat(200), String.fromCharCode(...Array.from({ length: 5000 }, (_, index) => index % 256)), "\ud800 bridge \udfff\udc00",
      "x".repeat(10_000), "שלום עולם مرحبا", "桥梁在河上", "the old bridge",
    ];
    const { results } = await kept.reranker.rerank("old bridge", documents, { returnDocuments: true });
    return { results, texts: documents };
  });
  assert.deepEqual(results.map(({ index }) => index).sort((a, b) => a - b), texts.map((_, index) => index));
  for (const { index, relevanceScore, passage } of results) {
    assert.ok(Number.isFinite(relevanceScore) && relevanceScore >= 0 && relevanceScore <= 1, `document ${index}: ${relevanceScore}`);
    assert.ok(passage.start >= 0 && passage.start <= passage.end && passage.end <= texts[index].length, `document ${index}: ${JSON.stringify(passage)}`);
    assert.equal(passage.text, texts[index].slice(passage.start, passage.end));
  }
});

test("a long document is scored by its best window, whose text is named", async (t) => {
  const page = await loaded(t);
  const { alone, long } = await page.evaluate(async () => {
    const filler = "winter water was long and the stone was cold . ".repeat(60);
    const needle = "the good bridge over the river is made of stone . ".repeat(3);
    const [long] = (await kept.reranker.rerank("good bridge", [`${filler}${needle}${filler}`], { returnDocuments: true, rawScores: true, window: 40, overlap: 10 })).results;
    const [alone] = (await kept.reranker.rerank("good bridge", [filler], { rawScores: true, window: 40, overlap: 10 })).results;
    return { long, alone };
  });
  assert.ok(long.passage.end - long.passage.start < 400, JSON.stringify(long.passage));
  assert.ok(long.relevanceScore >= alone.relevanceScore - 0.05);
});

test("a document of 10 MB is read up to maxTokensPerDocument", async (t) => {
  const page = await loaded(t);
  const { usage, results, again } = await page.evaluate(async () => {
    const text = "The old stone bridge over the river was made in a long winter. ".repeat(160_000);
    const response = await kept.reranker.rerank("good bridge", [text, "bridge"], { maxTokensPerDocument: 64 });
    return { ...response, again: text.length };
  });
  assert.ok(again > 10_000_000);
  assert.equal(results.length, 2);
  assert.ok(usage.tokens < 500, `${usage.tokens} tokens`);
});

test("100,000 documents are all ranked, and an abort in the middle of them is quick", async (t) => {
  const page = await loaded(t);
  const outcome = await page.evaluate(async () => {
    const documents = Array.from({ length: 100_000 }, (_, index) => `bridge ${index} river ${index % 7}`);
    const begun = performance.now();
    const { results } = await kept.reranker.rerank("good bridge", documents);
    const whole = performance.now() - begun;
    const controller = new AbortController();
    let at;
    const cut = await attempt(() => kept.reranker.rerank("good bridge", documents, {
      signal: controller.signal, onProgress: () => { at ??= performance.now(); controller.abort(); },
    }));
    const rejected = performance.now() - at;
    const next = await kept.reranker.rerank("good bridge", ["a bridge"]);
    return { count: results.length, different: new Set(results.map(({ index }) => index)).size, cut, whole, rejected, idle: performance.now() - at, next: next.results.length };
  });
  assert.deepEqual([outcome.count, outcome.different, outcome.next], [100_000, 100_000, 1]);
  assertCode(outcome.cut, "aborted");
  // As shares of the same work in the same run: how busy the machine is counts for both.
  t.diagnostic(JSON.stringify(outcome));
  assert.ok(outcome.rejected < outcome.whole / 4 && outcome.idle < outcome.whole / 2, JSON.stringify(outcome));
});

test("aborts before, during and after, two calls at once, and dispose", async (t) => {
  const page = await loaded(t);
  const outcome = await page.evaluate(async () => {
    const many = Array.from({ length: 3000 }, (_, index) => `the old stone bridge ${index} over the river was made in a long winter`);
    const { reranker } = kept;
    const before = await attempt(() => reranker.rerank("bridge", many, { signal: AbortSignal.abort() }));
    const during = new AbortController();
    let batches = 0;
    const cut = await attempt(() => reranker.rerank("bridge", many, {
      signal: during.signal, onProgress: ({ type }) => { if (type === "batch") { batches += 1; if (batches === 2) during.abort(); } },
    }));
    const late = new AbortController();
    const done = await attempt(() => reranker.rerank("bridge", ["a"], { signal: late.signal }));
    late.abort();
    const both = await Promise.all([reranker.rerank("bridge", ["a", "b"]), reranker.rerank("river", ["c"])]);
    const pending = attempt(() => reranker.rerank("bridge", many));
    reranker.dispose();
    return { before, cut, batches, done: done.value?.results.length, both: both.map(({ results }) => results.length), pending: await pending, after: await attempt(() => reranker.rerank("q", ["a"])) };
  });
  assertCode(outcome.before, "aborted");
  assertCode(outcome.cut, "aborted");
  assert.equal(outcome.batches, 2);
  assert.equal(outcome.done, 1);
  assert.deepEqual(outcome.both, [2, 1]);
  assertCode(outcome.pending, "aborted");
  assertCode(outcome.after, "invalid_argument", /disposed/);
});

const flipped = (bytes, at) => {
  const copy = Buffer.from(bytes);
  copy[at] ^= 0x55;
  return copy;
};

test("tampered weights or a tampered tokenizer are a checksum error, and are not kept", async (t) => {
  for (const [path, bytes] of [[WEIGHTS, weights], [TOKENIZER, tokenizer]]) {
    const page = await open(t);
    server.routes[path] = answer(flipped(bytes, bytes.length - 100), "bin");
    assertCode(await load(page), "checksum");
    delete server.routes[path];
    assert.equal((await load(page)).value.model, "tiny-cross-encoder");
  }
});

test("truncated weights are a download error", async (t) => {
  const page = await open(t);
  server.routes[WEIGHTS] = answer(weights.subarray(0, weights.length / 2), "bin");
  assertCode(await load(page), "download", /bytes arrived/);
});

test("a network that is cut half-way is mended by one range request", async (t) => {
  const page = await open(t);
  let first = true;
  server.routes[WEIGHTS] = (_request, response, next) => {
    if (!first) return next();
    first = false;
    response.writeHead(200, { "content-length": weights.length });
    return response.write(weights.subarray(0, 50_000), () => setTimeout(() => response.destroy(), 100));
  };
  assert.equal((await load(page)).value.model, "tiny-cross-encoder");
  const asked = server.requests.filter(({ path }) => path === WEIGHTS);
  assert.equal(asked.length, 2);
  assert.match(asked[1].range, /^bytes=[1-9]\d*-$/);
});

test("a manifest for another architecture, and one that is none, are manifest errors", async (t) => {
  const page = await open(t);
  for (const body of [JSON.stringify({ ...manifest, architecture: "llama" }), "<!doctype html>", JSON.stringify({ ...manifest, surprise: 1 })]) {
    server.routes[MANIFEST] = answer(body, "json");
    assertCode(await load(page), "manifest");
  }
});

/** The tiny model with other weights under a manifest that agrees with them. */
function reweighted(change) {
  const bytes = Buffer.from(weights);
  // safetensors: the length of a JSON header, the header, the data it describes.
  const data = 8 + Number(bytes.readBigUInt64LE(0));
  change(bytes, JSON.parse(bytes.subarray(8, data).toString()), data);
  const entry = { ...manifest.files.weights, sha256: createHash("sha256").update(bytes).digest("hex") };
  server.routes[WEIGHTS] = answer(bytes, "bin");
  server.routes[MANIFEST] = answer(JSON.stringify({ ...manifest, files: { ...manifest.files, weights: entry } }), "json");
}

test("weights that give other answers fail the self-test", async (t) => {
  const page = await open(t);
  for (const value of [3, Number.NaN]) {
    reweighted((bytes, header, data) => bytes.writeFloatLE(value, data + header["classifier.bias"].data_offsets[0]));
    assertCode(await load(page), "self_test");
  }
});

test("NaN logits are an internal error and no ranking, and the next request is answered", async (t) => {
  const page = await open(t);
  // A word that no known answer uses gets an embedding of NaN.
  const known = manifest.self_test.cases.map(({ query, document }) => `${query} ${document}`).join(" ").toLowerCase();
  const [word, id] = Object.entries(JSON.parse(tokenizer).model.vocab).find(([piece]) => /^[a-z]{4,}$/.test(piece) && !known.includes(piece));
  reweighted((bytes, header, data) => bytes.writeFloatLE(Number.NaN, data + header["embeddings.word.weight"].data_offsets[0] + id * 4 * manifest.dimensions.hidden));
  const { nan, next } = await page.evaluate(async (word) => {
    const reranker = await Reranker.load({ model: model("tiny-cross-encoder"), device: "cpu" });
    return { nan: await attempt(() => reranker.rerank("bridge", ["a river", word])), next: await attempt(() => reranker.rerank("bridge", ["a river"])) };
  }, word);
  assertCode(nan, "internal");
  assert.equal(next.value.results.length, 1);
});

test("a corrupted cache entry is dropped, fetched again and healed", async (t) => {
  const page = await open(t);
  assert.equal((await load(page)).value.model, "tiny-cross-encoder");
  assert.equal((await load(page)).value.model, "tiny-cross-encoder");
  assert.equal(fetched(WEIGHTS), 1);
  const spoilt = await page.evaluate(async () => {
    const cache = await caches.open("foliorank-v1");
    const request = (await cache.keys()).find(({ url }) => url.includes("model.safetensors"));
    const bytes = new Uint8Array(await (await cache.match(request)).arrayBuffer());
    bytes[bytes.length - 100] ^= 0x55;
    await cache.put(request, new Response(bytes));
    return bytes.length;
  });
  assert.equal(spoilt, weights.length);
  assertCode(await load(page, { cache: "only-if-cached" }), "checksum");
  assert.equal((await load(page)).value.model, "tiny-cross-encoder");
  assert.equal(fetched(WEIGHTS), 2);
  assert.equal((await load(page, { cache: "only-if-cached" })).value.model, "tiny-cross-encoder");
  assert.equal(fetched(WEIGHTS), 2);
});

test("a page that has loaded once starts without a network", async (t) => {
  const page = await open(t);
  await load(page);
  for (const path of [MANIFEST, WEIGHTS, TOKENIZER]) server.routes[path] = (_request, response) => response.destroy();
  assert.equal((await load(page)).value.model, "tiny-cross-encoder");
  assertCode(await load(page, { cache: "no-store" }), "download");
});

test("a model that is not there is a download error that says 404", async (t) => {
  const page = await open(t);
  assertCode(await page.evaluate(() => attempt(() => Reranker.load({ model: model("nobody"), device: "cpu" }))), "download", /404/);
});
