// Options, the order of turns, the texts, and what a peer does around its network. No browser, no npm package.
import assert from "node:assert/strict";
import { test } from "node:test";
import { batches, cut, pad } from "../page/peer.mjs";
import { parse } from "../options.mjs";
import { peers, turns, WORKLOADS } from "../plan.mjs";
import { exactDocuments, paragraphs, passages } from "../texts.mjs";

test("turns alternate, and nobody always follows the same one", () => {
  assert.deepEqual(turns(["a", "b", "c"], 3), ["a", "b", "c", "c", "b", "a", "a", "b", "c"]);
});

test("options are understood, and what is not says what there is", () => {
  assert.deepEqual(parse([]), { quick: false, devices: ["cpu", "webgpu"], workloads: undefined, rounds: undefined });
  const found = parse(["--quick", "--device", "cpu", "--workload", "16x128-l3,growth", "--rounds", "2"]);
  assert.deepEqual(found, { quick: true, devices: ["cpu"], workloads: ["16x128-l3", "growth"], rounds: 2 });
  for (const [given, message] of [
    [["--device", "gpu"], /cpu, webgpu, all/], [["--workload", "all"], /16x128-l12.*growth/], [["--rounds", "0"], /1 or more/],
    [["--fast"], /not an option/], [["--device"], /expects a value/],
  ]) assert.throws(() => parse(given), message, given.join(" "));
});

test("every workload has peers on both devices, each once, and threads only where there are some", () => {
  const versions = { "onnxruntime-web": "1", "@huggingface/transformers": "4" };
  for (const workload of WORKLOADS) {
    for (const device of ["cpu", "webgpu"]) {
      for (const all of [1, 4]) {
        const names = peers(workload, device, all, versions).map(({ peer, threads }) => `${peer} ${threads}`);
        assert.ok(names.length > 0);
        assert.equal(new Set(names).size, names.length, names.join());
      }
    }
    assert.ok(peers(workload, "cpu", 1, versions).every(({ threads }) => threads === 1));
  }
});

test("a peer's windows are those of src/page.rs", () => {
  assert.deepEqual(cut(300, 300, { window: 192, overlap: 48 }), [[0, 300]]);
  assert.deepEqual(cut(0, 300, { window: 192, overlap: 48 }), [[0, 0]]);
  assert.deepEqual(cut(101, 100, { window: 100, overlap: 30 }), [[0, 100], [1, 101]]);
  assert.deepEqual(cut(500, 400, { window: 192, overlap: 48 }), [[0, 192], [144, 336], [288, 480], [308, 500]]);
  for (const [start, end] of cut(500, 20, { window: 192, overlap: 48 })) assert.equal(end - start, 20);
});

test("batches hold 16, longest first, everybody once", () => {
  const lengths = Array.from({ length: 40 }, (_, i) => (i * 7) % 40);
  const made = batches(lengths, (length) => length);
  assert.deepEqual(made.map((batch) => batch.length), [16, 16, 8]);
  assert.deepEqual(made.flat(), [...lengths].sort((a, b) => b - a));
});

test("padding is masked, and the second text is segment 1", () => {
  const { input_ids, attention_mask, token_type_ids, shape } = pad([[101, 7, 102, 8, 102], [101, 7, 102, 102]], 3);
  assert.deepEqual(shape, [2, 5]);
  assert.deepEqual([...input_ids].map(Number), [101, 7, 102, 8, 102, 101, 7, 102, 102, 0]);
  assert.deepEqual([...attention_mask].map(Number), [1, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
  assert.deepEqual([...token_type_ids].map(Number), [0, 0, 0, 1, 1, 0, 0, 0, 1, 0]);
});

test("prose is what is left of Markdown", () => {
  const text = "# Title\n\nSee [the long manual](https://a.b/c) for all that one may want to know.\n\n```js\nlet one = two three four five six seven;\n```\n\n| a | table | is | not | prose | at | all | ever |\n\nToo short.";
  assert.deepEqual(paragraphs(text), ["See the long manual for all that one may want to know."]);
});

test("documents of an exact length have that length, and passages are many and mixed", () => {
  const source = Array.from({ length: 30 }, (_, i) => `paragraph number ${i} with some superlong words in it`.repeat(1 + (i % 9)));
  // A tokenizer that takes two tokens for a long word.
  const count = (text) => text.split(" ").reduce((sum, word) => sum + (word.length > 6 ? 2 : 1), 0);
  for (const length of [30, 31, 32]) assert.deepEqual(exactDocuments(3, length, count, source).map(count), [length, length, length]);
  const made = passages(100, source);
  const words = made.map((text) => text.split(" ").length);
  assert.equal(made.length, 100);
  assert.ok(Math.max(...words) <= 200 && new Set(words).size > 10, words.join());
});
