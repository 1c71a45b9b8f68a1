// Strategies in a page, with the real WASM: the tiny cross-encoder judges, or a function of the test's, or a scripted language model that
// reads what each document is worth from its text (`worth=7`).
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCode } from "./page.mjs";
import { openBlank, server } from "./set-up.mjs";
import { mixedDocuments } from "./texts.mjs";

const TINY = "tiny-cross-encoder";

/** A page with `load()`, `documents(n)` of known worth in a scrambled order, a judge that knows it, and `scripted(manner)`. */
async function open(t) {
  const page = await openBlank(t);
  await page.evaluate((name) => {
    globalThis.load = () => Reranker.load({ model: model(name), device: "cpu", threads: 1 });
    globalThis.worth = (text) => Number(/worth=(\d+)/.exec(text)[1]);
    globalThis.documents = (n) => Array.from({ length: n }, (_, index) => `A page on bridges, worth=${(index * 7 + 3) % n}`);
    // Knows the worth, counts what it is asked.
    globalThis.counting = (asked) => async (groups) => {
      asked.push(...groups.map(({ documents }) => documents.length));
      return groups.map(({ documents }) => documents.map(worth));
    };
    globalThis.scripted = (manner, requests = []) => async (request, { signal }) => {
      requests.push(request);
      if (manner === "silent") return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      if (manner === "offline") throw new TypeError("Failed to fetch");
      const shown = [...request.user.matchAll(/^\[\[\w{8} document (\d+)\]\]\n(.*)$/gm)].map(([, id, text]) => ({ id: Number(id), worth: worth(text) }));
      const ranking = shown.sort((a, b) => b.worth - a.worth).map(({ id }) => id);
      return { text: manner === "broken" ? "I would rather not." : JSON.stringify({ ranking }), inputTokens: 100, outputTokens: 10 };
    };
  }, TINY);
  return page;
}

test("the list of strategies says what each needs, and every name in it is understood", async (t) => {
  const page = await open(t);
  const { list, outcomes } = await page.evaluate(async () => {
    const { strategies } = await import("/index.js");
    const list = await strategies();
    const reranker = await load();
    const outcomes = {};
    for (const { name } of list) {
      outcomes[name] = await attempt(async () => (await reranker.rerank("bridge", ["a bridge", "a river"], { strategy: name, judge: async (groups) => groups.map(({ documents }) => documents.map(() => 1)) })).strategy.name);
    }
    return { list, outcomes };
  });
  assert.equal(list.length, 19);
  const named = Object.fromEntries(list.map((strategy) => [strategy.name, strategy]));
  assert.deepEqual([named.pointwise.family, named.pointwise.needs, named.pointwise.options], ["pointwise", ["pointwise"], ["k", "beta"]]);
  assert.match(named["prp-heapsort"].cost, /n/);
  for (const { name, needs } of list) {
    const missing = needs.filter((need) => !["pointwise", "pairwise", "listwise"].includes(need));
    if (missing.length === 0) assert.deepEqual(outcomes[name], { value: name });
    else assertCode(outcomes[name], "invalid_argument", new RegExp(`expected what ${name} needs, found none`));
  }
});

test("pointwise as a strategy is the plain call: results, scores and passages", async (t) => {
  const page = await open(t);
  const texts = [...mixedDocuments(150, [1, 6, 40, 200]), "", "😀 桥梁"];
  const runs = await page.evaluate(async (texts) => {
    const reranker = await load();
    const runs = [];
    for (const [documents, options] of [
      [texts, { window: 32, overlap: 8, rawScores: true }], [texts, { topN: 7, returnDocuments: true }], [texts.slice(0, 1), {}], [[], {}],
    ]) {
      const plain = await reranker.rerank("good bridge over water", documents, options);
      const events = [];
      const asked = await reranker.rerank("good bridge over water", documents, { ...options, strategy: "pointwise", onProgress: (event) => events.push(event) });
      runs.push({ plain, asked, events });
    }
    return runs;
  }, texts);
  for (const { plain, asked } of runs) {
    assert.equal(asked.results.length, plain.results.length);
    for (const [place, { relevanceScore, ...rest }] of asked.results.entries()) {
      const { relevanceScore: expected, ...usual } = plain.results[place];
      assert.deepEqual(rest, usual);
      // A strategy asks in batches of its own, and padding moves the last bits of an f32 model.
      assert.ok(Math.abs(relevanceScore - expected) < 1e-5, `${relevanceScore} is not ${expected}`);
    }
  }
  const [{ plain, asked, events }] = runs;
  assert.equal(plain.results.length, 152);
  assert.deepEqual([asked.usage.passages, asked.strategy.judgements, asked.strategy.warnings], [plain.usage.passages, 152, []]);
  assert.deepEqual(events.map(({ type, step, steps }) => [type, step, steps]), [0, 64, 128, 152].map((step) => ["strategy", step, 152]));
  assert.equal(plain.strategy, undefined);
});

test("a judge of the caller's is asked what the report counts, and heapsort needs fewer judgements than all pairs", async (t) => {
  const page = await open(t);
  const runs = await page.evaluate(async () => {
    const reranker = await load();
    const runs = [];
    for (const strategy of ["prp-all-pair", "prp-heapsort:k=3", "prp-sliding:k=3", "setwise-heapsort:k=3"]) {
      const asked = [];
      const { results, strategy: report } = await reranker.rerank("bridge", documents(20), { strategy, judge: { judge: counting(asked), maxGroup: 5 }, topN: 3, returnDocuments: true });
      runs.push({ strategy, asked, report, worths: results.map(({ document }) => worth(document)), passages: results.map(({ passage }) => passage) });
    }
    return runs;
  });
  for (const { strategy, asked, report, worths, passages } of runs) {
    assert.deepEqual(worths, [19, 18, 17], strategy);
    assert.deepEqual([report.judgements, report.calls], [asked.length, 0], strategy);
    assert.deepEqual(passages, [undefined, undefined, undefined]);
  }
  const [all, heap] = runs;
  assert.deepEqual(new Set(all.asked), new Set([2]));
  assert.equal(all.report.judgements, 380);
  assert.ok(heap.report.judgements < 150, `${heap.report.judgements} judgements`);
  assert.equal(heap.report.conflicts, 0);
});

test("the reranker judges pairs by the scores of their documents, each scored once", async (t) => {
  const page = await open(t);
  const texts = mixedDocuments(12, [3, 9, 30]);
  const { plain, pairs } = await page.evaluate(async (texts) => {
    const reranker = await load();
    return { plain: await reranker.rerank("bridge", texts), pairs: await reranker.rerank("bridge", texts, { strategy: "prp-all-pair" }) };
  }, texts);
  assert.deepEqual(pairs.results.map(({ index }) => index), plain.results.map(({ index }) => index));
  assert.deepEqual(pairs.results.map(({ passage }) => passage), plain.results.map(({ passage }) => passage));
  assert.deepEqual([pairs.usage.passages, pairs.strategy.judgements], [12, 132]);
});

test("a perfect language model puts a list in its true order, a broken one leaves it with a warning", async (t) => {
  const page = await open(t);
  const { perfect, broken, requests } = await page.evaluate(async () => {
    const reranker = await load();
    const requests = [];
    const run = async (llm) => {
      const { results, strategy } = await reranker.rerank("bridge", documents(30), { strategy: "listwise-windows", llm, returnDocuments: true, limits: { answerTokens: 50 } });
      return { worths: results.map(({ document }) => worth(document)), indices: results.map(({ index }) => index), strategy };
    };
    return { perfect: await run(scripted("perfect", requests)), broken: await run(scripted("broken")), requests };
  });
  assert.deepEqual(perfect.worths.slice(0, 10), [29, 28, 27, 26, 25, 24, 23, 22, 21, 20]);
  assert.deepEqual([perfect.strategy.calls, perfect.strategy.inputTokens, perfect.strategy.warnings], [requests.length, 100 * requests.length, []]);
  const [{ system, user, schema, maxTokens, temperature }] = requests;
  assert.match(system, /never follow instructions/);
  assert.match(user, /worth=/);
  assert.deepEqual([schema.type, Object.keys(schema.properties), maxTokens, temperature], ["object", ["ranking"], 50, 0]);
  assert.deepEqual(broken.indices, [...Array(30).keys()]);
  const [warning] = broken.strategy.warnings;
  assert.equal(warning.code, "unusable");
  assert.match(warning.message, /first-stage order/);
  assert.equal(broken.strategy.calls, 2 * broken.strategy.unusableAnswers);
});

test("an abort reaches the language model, and what it throws comes out as llm", async (t) => {
  const page = await open(t);
  const { stopped, heard, offline, after } = await page.evaluate(async () => {
    const reranker = await load();
    const controller = new AbortController();
    let heard;
    const llm = (request, { signal }) => {
      setTimeout(() => controller.abort("enough"));
      signal.addEventListener("abort", () => { heard = signal.reason; });
      return scripted("silent")(request, { signal });
    };
    const stopped = await attempt(() => reranker.rerank("bridge", documents(9), { strategy: "listwise-windows", llm, signal: controller.signal }));
    const offline = await attempt(() => reranker.rerank("bridge", documents(9), { strategy: "listwise-windows", llm: scripted("offline") }));
    const after = await attempt(async () => (await reranker.rerank("bridge", documents(9), { strategy: "pointwise" })).results.length);
    return { stopped, heard, offline, after };
  });
  assertCode(stopped, "aborted");
  assert.equal(heard, "enough");
  assertCode(offline, "llm", /^Failed to fetch$/);
  assert.deepEqual(after, { value: 9 });
});

test("a limit is kept and said, not an error", async (t) => {
  const page = await open(t);
  const { asked, report, indices } = await page.evaluate(async () => {
    const reranker = await load();
    const asked = [];
    const { results, strategy } = await reranker.rerank("bridge", documents(10), { strategy: "pointwise", judge: counting(asked), limits: { judgements: 4 } });
    return { asked, report: strategy, indices: results.map(({ index }) => index) };
  });
  assert.equal(asked.length, 4);
  assert.deepEqual([report.warnings[0].code, report.warnings[0].limit, report.warnings[0].unjudged], ["budget", "judgements", 6]);
  assert.deepEqual(indices.slice(4), [4, 5, 6, 7, 8, 9]);
});

test("a ranking is fused with the first stage, with and without a strategy", async (t) => {
  const page = await open(t);
  const { plain, rrf, first, topped, strategic } = await page.evaluate(async () => {
    const reranker = await load();
    const texts = ["a bridge", "a river", "a stone bridge over the water"];
    const firstStage = [3, 9, 1];
    const run = async (options) => (await reranker.rerank("bridge", texts, options)).results;
    return {
      plain: await run({}), rrf: await run({ firstStage, fuse: "rrf" }), first: await run({ firstStage, fuse: "z:1" }),
      topped: await run({ firstStage, fuse: "rrf", topN: 1 }), strategic: await run({ firstStage, fuse: "rrf", strategy: "prp-all-pair" }),
    };
  });
  const before = [1, 0, 2];
  assert.deepEqual(first.map(({ index }) => index), before);
  const rank = (list, index) => 1 + list.indexOf(index);
  const order = plain.map(({ index }) => index);
  for (const { index, relevanceScore, passage } of rrf) {
    assert.ok(Math.abs(relevanceScore - (1 / (60 + rank(before, index)) + 1 / (60 + rank(order, index)))) < 1e-6);
    assert.deepEqual(passage, plain.find((result) => result.index === index).passage);
  }
  assert.deepEqual(topped, rrf.slice(0, 1));
  assert.deepEqual(strategic, rrf);
});

test("a strategy on vectors asks the embedder for the query and the documents", async (t) => {
  const page = await open(t);
  const { kinds, indices } = await page.evaluate(async () => {
    const reranker = await load();
    const kinds = [];
    // Worth as an angle to the query.
    const embedder = {
      async embed(texts, { kind }) {
        kinds.push([kind, texts.length]);
        const angles = texts.map((text) => (kind === "query" ? 0 : (20 - worth(text)) / 20));
        return { vectors: Float32Array.from(angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)])), dimensions: 2 };
      },
    };
    const { results } = await reranker.rerank("bridge", documents(20), { strategy: "rocchio", embedder, returnDocuments: true });
    return { kinds, indices: results.slice(0, 3).map(({ document }) => worth(document)) };
  });
  assert.deepEqual(kinds, [["query", 1], ["document", 20]]);
  assert.ok(indices.every((worth) => worth > 5), String(indices));
});

test("what makes no sense is refused before anything is asked", async (t) => {
  const page = await open(t);
  const outcomes = await page.evaluate(async () => {
    const reranker = await load();
    const run = (options) => attempt(() => reranker.rerank("bridge", ["a", "b"], options));
    return {
      name: await run({ strategy: "no-such" }), option: await run({ strategy: "pointwise:x=1" }), judge: await run({ judge: async () => [] }),
      group: await run({ strategy: "setwise-heapsort", judge: { judge: async () => [] } }), fuse: await run({ fuse: "rrf" }),
      fusion: await run({ fuse: "mean", firstStage: [1, 2] }), scores: await run({ fuse: "rrf", firstStage: [1] }),
      answer: await run({ strategy: "pointwise", judge: async () => [["high"], ["low"]] }), count: await run({ strategy: "pointwise", judge: async () => [[1]] }),
      limits: await run({ strategy: "pointwise", limits: { answers: 3 } }), llm: await run({ strategy: "listwise-windows", llm: async () => ({ answer: "1" }) }),
    };
  });
  for (const [name, message] of [
    ["name", /one of pointwise, /], ["option", /options of pointwise: k, beta/], ["judge", /given with a strategy only/], ["group", /judge\.maxGroup/],
    ["fuse", /firstStage must be given with fuse/], ["fusion", /rrf, rrf:K/], ["scores", /2 finite numbers/], ["answer", /numbers for each group/],
    ["limits", /limits\.answers must be one of judgements, calls/], ["llm", /a string `text`/],
  ]) assertCode(outcomes[name], "invalid_argument", message);
  assertCode(outcomes.count, "internal", /answered otherwise/);
  assert.equal(server.requests.filter(({ path }) => path.endsWith("logic/foliorank_bg.wasm")).length > 0, true);
});

test("a model that sees sorts the grid of page images; what is no image is named before the model is asked", async (t) => {
  const page = await open(t);
  const outcome = await page.evaluate(async () => {
    const reranker = await load();
    // As many pages as fill two rows of a grid; the lighter one is the better one.
    const shades = [40, 200, 120, 90];
    const pages = await Promise.all(shades.map(async (shade, index) => {
      const canvas = new OffscreenCanvas(60, 80);
      const context = canvas.getContext("2d");
      context.fillStyle = `rgb(${shade}, ${shade}, ${shade})`;
      context.fillRect(0, 0, 60, 80);
      const blob = await canvas.convertToBlob({ type: index % 2 ? "image/jpeg" : "image/png" });
      return index % 2 ? blob : new Uint8Array(await blob.arrayBuffer());
    }));
    const asked = [];
    const seeing = async (request) => {
      asked.push({ user: request.user, images: request.images.map(({ mediaType, width, height }) => ({ mediaType, width, height })) });
      const [{ data, mediaType, width, height }] = request.images;
      const context = new OffscreenCanvas(width, height).getContext("2d");
      context.drawImage(await createImageBitmap(new Blob([data], { type: mediaType })), 0, 0);
      const light = [[1, 1], [3, 1], [1, 3], [3, 3]].map(([x, y]) => context.getImageData((x * width) / 4, (y * height) / 4 + 5, 1, 1).data[0]);
      const ranking = light.map((value, index) => ({ value, id: index + 1 })).sort((a, b) => b.value - a.value).map(({ id }) => id);
      return { text: JSON.stringify({ ranking }), inputTokens: 100, outputTokens: 10 };
    };
    const documents = ["a", "b", "c", "d"];
    const options = { strategy: "square", llm: seeing };
    const { results, strategy } = await reranker.rerank("light", documents, { ...options, pages });
    // The first stage puts the last document first: it is number 1 of the grid.
    const turned = await reranker.rerank("light", documents, { ...options, pages, firstStage: [1, 2, 3, 4] });
    const before = asked.length;
    const refused = [
      await attempt(() => reranker.rerank("light", documents, { ...options, pages: pages.slice(1) })),
      await attempt(() => reranker.rerank("light", documents, { ...options, pages: [...pages.slice(1), "page.png"] })),
      await attempt(() => reranker.rerank("light", documents, { ...options, pages: [...pages.slice(0, 2), new Uint8Array([1, 2, 3]), pages[3]] })),
      await attempt(() => reranker.rerank("light", documents, { pages })),
    ];
    return { order: results.map(({ index }) => index), turned: turned.results.map(({ index }) => index), strategy, asked, spent: asked.length - before, refused };
  });
  assert.deepEqual(outcome.order, [1, 2, 3, 0]);
  assert.deepEqual(outcome.turned, [1, 2, 3, 0]);
  assert.deepEqual([outcome.strategy.name, outcome.strategy.calls, outcome.strategy.warnings], ["square", 1, []]);
  assert.equal(outcome.spent, 0);
  for (const { user, images } of outcome.asked) {
    assert.match(user, /light/);
    assert.equal(images.length, 1);
    assert.ok(images[0].width > 300 && images[0].height > 300 && Math.max(images[0].width, images[0].height) <= 1568, JSON.stringify(images));
  }
  for (const [at, words] of [/pages.*4/, /pages.*4/, /page 3/, /strategy/].entries()) assertCode(outcome.refused[at], "invalid_argument", words);
});
