// Every wrong argument is invalid_argument with a message that names it; every right one passes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { code, source } from "./source.mjs";

const { checkLoadOptions, checkRerank } = source;
const model = "https://a.example/m/";

test("good arguments pass and give the texts in order", () => {
  const documents = ["a", { text: "b", page: 7 }, "", { text: "\ud800" }];
  assert.deepEqual(checkRerank("q", documents, {}), ["a", "b", "", "\ud800"]);
  const all = { topN: 1, window: 64, overlap: 0, maxTokensPerDocument: 9, rawScores: true, returnDocuments: false, signal: new AbortController().signal };
  assert.deepEqual(checkRerank("", [], all), []);
  for (const device of ["auto", "webgpu", "cpu", undefined]) checkLoadOptions({ model, device }, true);
  checkLoadOptions({ model: new URL(model), cache: "no-store", worker: false, wasmUrl: "./wasm" }, true);
  for (const threads of [1, 64, "auto", undefined]) checkLoadOptions({ model, threads }, true);
  checkLoadOptions({}, false);
});

const bad = [
  ["a query that is no string", [7, [], {}], /query must be a string, found 7/],
  ["documents that are no array", ["q", "text", {}], /documents must be an array, found "text"/],
  ["documents missing", ["q", undefined, {}], /documents must be an array, found undefined/],
  ["a number among the documents", ["q", ["a", 3], {}], /documents\[1\] must be a string or an object with a string `text`, found 3/],
  ["null among the documents", ["q", [null], {}], /documents\[0\].*found null/],
  ["an object without text", ["q", [{ title: "x" }], {}], /documents\[0\]/],
  ["a hole in the array", ["q", new Array(1), {}], /documents\[0\].*found undefined/],
  ["options that are no object", ["q", [], 5], /options must be an object/],
  ["topN 0", ["q", [], { topN: 0 }], /topN must be a positive whole number, found 0/],
  ["topN 1.5", ["q", [], { topN: 1.5 }], /topN/],
  ["topN NaN", ["q", [], { topN: Number.NaN }], /topN/],
  ["topN as text", ["q", [], { topN: "3" }], /topN.*found "3"/],
  ["topN beyond 32 bits", ["q", [], { topN: 2 ** 40 }], /topN/],
  ["a negative window", ["q", [], { window: -1 }], /window/],
  ["a negative overlap", ["q", [], { overlap: -1 }], /overlap must be a whole number, 0 or more/],
  ["an overlap as large as the window", ["q", [], { window: 64, overlap: 64 }], /overlap must be less than window \(64\), found 64/],
  ["maxTokensPerDocument 0", ["q", [], { maxTokensPerDocument: 0 }], /maxTokensPerDocument/],
  ["rawScores as text", ["q", [], { rawScores: "yes" }], /rawScores must be true or false/],
  ["a signal that is none", ["q", [], { signal: {} }], /signal must be an AbortSignal/],
  ["onProgress that is no function", ["q", [], { onProgress: 1 }], /onProgress must be a function/],
];
for (const [name, args, message] of bad) {
  test(`${name} is an invalid argument`, () => assert.throws(() => checkRerank(...args), code("invalid_argument", message)));
}

const badLoad = [
  ["no options", undefined, /options must be an object/],
  ["no model", {}, /model must be a URL/],
  ["an empty model", { model: " " }, /model must be a URL/],
  ["an unknown device", { model, device: "gpu" }, /device must be one of "auto", "webgpu", "cpu", found "gpu"/],
  ["an unknown cache mode", { model, cache: "force" }, /cache must be one of/],
  ["a worker that is no boolean", { model, worker: 1 }, /worker/],
  ["no threads at all", { model, threads: 0 }, /threads must be "auto" or a whole number from 1 to 64, found 0/],
  ["threads as a word", { model, threads: "all" }, /threads.*found "all"/],
  ["half a thread", { model, threads: 1.5 }, /threads.*found 1.5/],
];
for (const [name, options, message] of badLoad) {
  test(`loading with ${name} is an invalid argument`, () => assert.throws(() => checkLoadOptions(options, true), code("invalid_argument", message)));
}
