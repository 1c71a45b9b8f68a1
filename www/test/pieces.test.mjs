// The arithmetic of sharing a call, without any worker: how many of them, which documents go together, how far all of it is, and how
// the answers become one again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { join, Pieces, relevance, Tally, threadCount } = source;
const merge = join.rankings;

function takeAll(pieces) {
  const all = [];
  for (let piece = pieces.take(); piece; piece = pieces.take()) all.push(piece);
  return all;
}

/** Texts of these lengths. */
const texts = (lengths) => lengths.map((length) => "x".repeat(length));
const mixed = texts(Array.from({ length: 200 }, (_, index) => 20 + ((index * 37) % 11) * 150));

test("every document is in one piece, the longest first, and late pieces are the smaller ones", () => {
  const all = takeAll(new Pieces("query", mixed, {}, 4));
  assert.deepEqual(all.flatMap(({ indices }) => indices).sort((a, b) => a - b), [...mixed.keys()]);
  const lengths = all.flatMap(({ documents }) => documents.map(({ length }) => length));
  assert.deepEqual(lengths, lengths.toSorted((a, b) => b - a));
  for (const { indices, documents } of all) assert.deepEqual(documents, indices.map((index) => mixed[index]));
  assert.ok(all.length >= 8, `${all.length} pieces for 4 workers`);
  assert.ok(all[0].cost > 3 * all.at(-1).cost);
});

test("workers that take a piece whenever they are idle end within a tenth of each other", () => {
  for (const workers of [2, 3, 4]) {
    const ends = new Array(workers).fill(0);
    for (const { cost } of takeAll(new Pieces("query", mixed, {}, workers))) ends[ends.indexOf(Math.min(...ends))] += cost;
    assert.ok(Math.min(...ends) > 0.9 * Math.max(...ends), `${workers} workers: ${ends}`);
  }
});

test("a small call, a single document and a single worker make one piece in input order", () => {
  for (const [documents, workers] of [[texts([3, 9, 5, 8, 1, 2, 7, 4, 6]), 4], [texts([90_000]), 4], [mixed, 1], [[], 4]]) {
    const pieces = new Pieces("query", documents, {}, workers);
    assert.equal(pieces.isCut, false);
    const all = takeAll(pieces);
    assert.equal(all.length, 1);
    assert.deepEqual(all[0].indices, [...documents.keys()]);
  }
  // A long query is computed with each document.
  assert.equal(new Pieces("q".repeat(1000), texts([3, 9, 5, 8]), {}, 4).isCut, true);
});

test("a long document is cut into parts that are all of it together, each alone in its piece; short ones stay whole", () => {
  const documents = texts([60_000, 300, 300, 5_000]);
  for (const workers of [2, 3, 4]) {
    const pieces = new Pieces("query", documents, { shares: true }, workers);
    const all = takeAll(pieces);
    const parts = all.filter(({ share }) => share);
    assert.ok(parts.length >= 2 * workers - 1, `${parts.length} parts for ${workers}`);
    for (const { indices, documents: [text], share: { of } } of parts) assert.deepEqual([indices, text.length, of], [[0], 60_000, parts.length]);
    assert.deepEqual(parts.map(({ share }) => share.nth).sort((a, b) => a - b), [...parts.keys()]);
    assert.deepEqual(all.filter(({ share }) => !share).flatMap(({ indices }) => indices).sort(), [1, 2, 3]);
    assert.equal(all.reduce((sum, { cost }) => sum + cost, 0), pieces.cost);
    assert.equal(all.reduce((sum, { indices }) => sum + indices.length, 0), pieces.count);
    const ends = new Array(workers).fill(0);
    for (const { cost } of all) ends[ends.indexOf(Math.min(...ends))] += cost;
    assert.ok(Math.min(...ends) > 0.7 * Math.max(...ends), `${workers} workers: ${ends}`);
  }
  assert.equal(new Pieces("query", texts([60_000]), { shares: true }, 2).isCut, true);
  for (const [lengths, cutting, workers] of [[[60_000], { shares: true }, 1], [[5_000], { shares: true }, 4], [[60_000], {}, 4], [[60_000], { shares: true, maxTokensPerDocument: 300 }, 4]]) {
    assert.equal(new Pieces("query", texts(lengths), cutting, workers).isCut, false);
  }
});

test("text beyond maxTokensPerDocument does not count", () => {
  const documents = texts([1_000_000, ...new Array(39).fill(300)]);
  const [first] = takeAll(new Pieces("query", documents, {}, 2));
  assert.deepEqual(first.indices, [0]);
  const [shared] = takeAll(new Pieces("query", documents, { maxTokensPerDocument: 50 }, 2));
  assert.ok(shared.indices.length > 5);
});

test("a piece given back is the next one taken", () => {
  const pieces = new Pieces("query", mixed, {}, 2);
  const first = pieces.take();
  pieces.take();
  pieces.giveBack(first);
  assert.equal(pieces.take(), first);
});

/** Runs the pieces one after the other, three batches each, and returns all progress. */
function follow(tokensOf) {
  const pieces = new Pieces("query", mixed, {}, 2);
  const tally = new Tally(pieces.cost);
  const events = [];
  for (const [nth, piece] of takeAll(pieces).entries()) {
    const totalTokens = tokensOf(piece, nth);
    events.push(tally.update(piece, { batch: 0, batches: 0, tokens: 0, totalTokens: 5 }));
    for (const batch of [0, 1, 2, 3]) events.push(tally.update(piece, { batch, batches: 3, tokens: Math.round((totalTokens * batch) / 3), totalTokens }));
  }
  return events;
}

test("progress never goes back and ends with every token, however wrong the estimates are", () => {
  for (const tokensOf of [({ cost }) => Math.round(cost / 4), (_, nth) => 40 + nth * 300, (_, nth) => Math.max(1, 5000 - nth * 700)]) {
    const events = follow(tokensOf).filter(({ batches }) => batches > 0);
    for (const [place, { batch, batches, tokens, totalTokens }] of events.entries()) {
      const before = events[place - 1] ?? { batch: 0, tokens: 0, totalTokens: 1 };
      assert.ok(batch >= before.batch && tokens >= before.tokens);
      assert.ok(tokens / totalTokens >= before.tokens / before.totalTokens - 1e-12, `event ${place}`);
      assert.ok(batch <= batches && tokens <= totalTokens);
      const last = place === events.length - 1;
      assert.equal(tokens === totalTokens && batch === batches, last, `event ${place} of ${events.length}`);
    }
  }
});

test("a piece that starts again counts for nothing until it does, and the share is then an honest one", () => {
  const [one, two] = [{ cost: 300 }, { cost: 100 }];
  const tally = new Tally(400);
  assert.deepEqual(tally.update(one, { batch: 9, batches: 10, tokens: 90, totalTokens: 100 }), { batch: 9, batches: 14, tokens: 90, totalTokens: 133 });
  tally.forget(one);
  assert.deepEqual(tally.update(two, { batch: 1, batches: 4, tokens: 50, totalTokens: 200 }), { batch: 1, batches: 16, tokens: 50, totalTokens: 800 });
});

test("no call is done while a piece of it is missing, however small", () => {
  const { tokens, totalTokens, batch, batches } = new Tally(1001).update({ cost: 1000 }, { batch: 2, batches: 2, tokens: 10, totalTokens: 10 });
  assert.ok(tokens < totalTokens && batch < batches);
});

test("until a piece is cut into tokens there are no batches, only tokens read", () => {
  const pieces = new Pieces("query", mixed, {}, 2);
  const tally = new Tally(pieces.cost);
  assert.deepEqual(tally.update(pieces.take(), { batch: 0, batches: 0, tokens: 0, totalTokens: 70 }), { batch: 0, batches: 0, tokens: 0, totalTokens: 70 });
  assert.equal(tally.update(pieces.take(), { batch: 0, batches: 0, tokens: 0, totalTokens: 30 }).totalTokens, 100);
});

/** A worker's answer: local order and raw scores as given. */
const part = (indices, order, scores, worker, timing = { tokenizeMs: 1, scoreMs: 10 }) => ({
  piece: { indices }, worker, result: {
    order: Uint32Array.from(order), scores: Float32Array.from(scores), passages: Uint32Array.from(order.flatMap((local) => [indices[local], indices[local] + 100])),
    usage: { tokens: 10, batches: 2, paddedTokens: 3, passages: order.length }, timing,
  },
});

test("answers are merged by score, ties by input index, and passages stay with their documents", () => {
  const [one, two] = [{}, {}];
  const merged = merge([
    part([5, 0, 3], [1, 0, 2], [2, 0.5, -0], one), part([4, 1], [0, 1], [0.5, 0], two), part([2, 6], [1, 0], [2, 0.5], one),
  ], 6);
  assert.deepEqual([...merged.order], [0, 6, 2, 4, 5, 1]);
  assert.deepEqual([...merged.scores], [2, 2, 0.5, 0.5, 0.5, 0]);
  assert.deepEqual([...merged.passages].filter((_, place) => place % 2 === 0), [...merged.order]);
  assert.deepEqual([...merged.passages].filter((_, place) => place % 2 === 1), [...merged.order].map((index) => index + 100));
  assert.deepEqual(merged.usage, { tokens: 30, batches: 6, paddedTokens: 9, passages: 7 });
});

test("of a document that several workers shared its best window counts, the earlier one where two are alike, and it counts once", () => {
  const of = (index, score, start) => ({
    piece: { indices: [index] }, worker: {}, result: {
      order: Uint32Array.of(...(score === undefined ? [] : [0])), scores: Float32Array.of(...(score === undefined ? [] : [score])),
      passages: Uint32Array.of(...(score === undefined ? [] : [start, start + 9])), usage: { tokens: 1, batches: 1, paddedTokens: 0, passages: 1 }, timing: { tokenizeMs: 1, scoreMs: 1 },
    },
  });
  const parts = [of(0, 1, 50), of(0, 3, 80), of(0, 3, 10), of(0, undefined), of(1, 2, 0), of(2, 2, 30), of(2, -1, 0)];
  for (const [topN, order] of [[undefined, [0, 1, 2]], [2, [0, 1]]]) {
    for (const some of [parts, parts.toReversed()]) {
      const merged = merge(some, topN);
      assert.deepEqual([...merged.order], order);
      assert.deepEqual([...merged.scores], [3, 2, 2].slice(0, topN));
      assert.deepEqual([...merged.passages], [10, 19, 0, 9, 30, 39].slice(0, 2 * order.length));
    }
  }
});

test("0 ranks above -0 and infinities at the ends, as in the engine's own order", () => {
  const merged = merge([part([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5], [-0, 0, -Infinity, Infinity, -2, -1], {})], undefined);
  assert.deepEqual([...merged.order], [3, 1, 0, 5, 4, 2]);
});

test("timing is that of the worker that computed longest, over all its pieces", () => {
  const [one, two] = [{}, {}];
  const merged = merge([
    part([0], [0], [1], one, { tokenizeMs: 1, scoreMs: 40 }), part([1], [0], [1], two, { tokenizeMs: 2, scoreMs: 60 }), part([2], [0], [1], one, { tokenizeMs: 3, scoreMs: 30 }),
  ], undefined);
  assert.deepEqual(merged.timing, { tokenizeMs: 4, scoreMs: 70 });
  assert.deepEqual(merge([], 3).timing, { tokenizeMs: 0, scoreMs: 0 });
});

test("relevance is the sigmoid of a logit and the positive part of a cosine, never out of order", () => {
  assert.equal(relevance(0, "logit"), 0.5);
  assert.ok(Math.abs(relevance(9.2, "logit") - 0.999899) < 1e-6);
  assert.deepEqual([relevance(-1000, "logit"), relevance(1000, "logit")], [0, 1]);
  assert.deepEqual([-0.3, 0.25, 1.5].map((raw) => relevance(raw, "cosine")), [0, 0.25, 1]);
  const raws = Float32Array.from({ length: 4000 }, (_, index) => index / 100 - 20);
  const scores = Array.from(raws, (raw) => relevance(raw, "logit"));
  assert.ok(scores.every((score, place) => Math.fround(score) === score && (place === 0 || score >= scores[place - 1])));
});

const cpu = (parameters) => ({ device: "cpu", parameters });

test("auto takes the cores there are, at most four, and as many as fit a quarter of the memory", () => {
  const small = cpu(1_000_000);
  assert.equal(threadCount("auto", small, { hardwareConcurrency: 2, deviceMemory: 8 }), 2);
  assert.equal(threadCount("auto", small, { hardwareConcurrency: 16, deviceMemory: 8 }), 4);
  assert.equal(threadCount("auto", small, { hardwareConcurrency: 16 }), 4);
  assert.equal(threadCount("auto", small, {}), 1);
  // 33 million weights are 133 MB as f32.
  assert.deepEqual([0.5, 1, 2, 4, 8].map((deviceMemory) => threadCount("auto", cpu(33_400_000), { hardwareConcurrency: 8, deviceMemory })), [1, 1, 2, 4, 4]);
  assert.equal(threadCount("auto", cpu(1e9), { hardwareConcurrency: 8, deviceMemory: 8 }), 1);
});

test("a number is taken at its word on the CPU, and WebGPU has one worker", () => {
  assert.equal(threadCount(6, cpu(1e9), { hardwareConcurrency: 2, deviceMemory: 1 }), 6);
  for (const requested of ["auto", 6]) assert.equal(threadCount(requested, { device: "webgpu", parameters: 1 }, { hardwareConcurrency: 8 }), 1);
});

test("vectors are put where their texts were in the input", () => {
  const row = (index) => [index, 10 * index];
  const vectors = (indices) => ({
    piece: { indices }, worker: {}, result: {
      vectors: Float32Array.from(indices.flatMap(row)), dimensions: 2, usage: { tokens: indices.length, batches: 1, paddedTokens: 0, passages: indices.length },
      timing: { tokenizeMs: 1, scoreMs: 1 },
    },
  });
  const { vectors: all, dimensions, usage } = join.vectors([vectors([4, 0]), vectors([2]), vectors([3, 1])]);
  assert.deepEqual([[...all], dimensions, usage.tokens, usage.batches], [[0, 1, 2, 3, 4].flatMap(row), 2, 5, 3]);
});

test("vectors of tokens, and weights with their ids, are put where their texts were too", () => {
  const part = (indices, { width, ids }) => {
    const lengths = Uint32Array.from(indices, (index) => index);
    const rows = indices.flatMap((index) => Array(index).fill(index));
    return {
      piece: { indices }, worker: {}, result: {
        vectors: Float32Array.from(rows.flatMap((row) => Array(width).fill(row))), dimensions: ids ? 100 : width, lengths, ...(ids ? { ids: Uint32Array.from(rows) } : {}),
        usage: { tokens: 1, batches: 1, paddedTokens: 0, passages: indices.length }, timing: { tokenizeMs: 1, scoreMs: 1 },
      },
    };
  };
  const expected = [1, 2, 2, 3, 3, 3];
  const late = join.vectors([part([3, 0], { width: 2 }), part([1, 2], { width: 2 })]);
  assert.deepEqual([[...late.vectors], [...late.lengths], late.dimensions, late.ids], [expected.flatMap((row) => [row, row]), [0, 1, 2, 3], 2, undefined]);
  const sparse = join.vectors([part([2, 3], { width: 1, ids: true }), part([0, 1], { width: 1, ids: true })]);
  assert.deepEqual([[...sparse.vectors], [...sparse.ids], [...sparse.lengths], sparse.dimensions], [expected, expected, [0, 1, 2, 3], 100]);
  assert.throws(() => join.vectors([{ ...part([0, 1], { width: 2 }), piece: { indices: [0, 1, 2] } }]), { code: "invalid_argument" });
});
