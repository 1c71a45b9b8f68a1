// Index in a page with the real WASM and the browser's IndexedDB: reload, two tabs, abort, a full disk, other versions and models, and
// ten thousand documents in portions that hold the page up for little.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCode, refuseWasm } from "./page.mjs";
import { openBlank, server } from "./set-up.mjs";

const MINUTES = 60_000;

/** Makes `Index`, `open(options)`, an embedder by letters, and `found(results)` known to the page. */
async function prepare(page) {
  await page.evaluate(async () => {
    const { Index } = await import("/index.js");
    globalThis.Index = Index;
    // Its vector counts a few letters: alike where texts use the same ones.
    globalThis.letters = (name = "letters", log = [], alphabet = "abcdefgh") => ({
      info: { model: name },
      async embed(texts, { kind, signal }) {
        signal?.throwIfAborted();
        log.push([kind, texts.length]);
        const row = (text) => [...alphabet].map((letter) => text.toLowerCase().split(letter).length - 1 + 0.01);
        return { vectors: Float32Array.from(texts.flatMap(row)), dimensions: alphabet.length };
      },
    });
    globalThis.open = (options) => Index.open({ name: "pages", ...options });
    globalThis.found = (results) => results.map(({ id, rank }) => `${rank} ${id}`);
    globalThis.bridges = [
      { id: "stone", text: "A stone bridge over the river", page: 1 }, { id: "boat", text: "A boat on the river, and another boat", page: 2 },
      { id: "map", text: "Bridges and rivers of the county", page: 3 },
    ];
  });
  return page;
}

const open = async (t) => prepare(await openBlank(t));

/** Another tab of the same browser profile. */
async function anotherTab(page) {
  const other = await page.context().newPage();
  await other.goto(`${server.url}/test.html`);
  await other.waitForFunction(() => document.title === "ready");
  return prepare(other);
}

test("documents are found by words, come back whole, and can be replaced and removed", async (t) => {
  const page = await open(t);
  const seen = await page.evaluate(async () => {
    const index = await open({});
    await index.add(bridges);
    const first = await index.search("river bridge", { top: 2 });
    await index.add([{ id: "stone", text: "A stone wall", page: 9 }]);
    const replaced = { bridge: found(await index.search("bridge")), wall: await index.search("wall"), size: await index.size() };
    const removed = [await index.remove(["boat", "nobody", "boat"]), await index.size(), found(await index.search("boat"))];
    const rest = [await index.ids(), await index.get("map"), await index.get("boat"), await index.search("  "), await index.search("zebra")];
    await index.clear();
    return { first, replaced, removed, rest, cleared: [await index.size(), await index.search("stone")] };
  });
  assert.deepEqual(seen.first.map(({ id, rank, document }) => [id, rank, document]), [
    ["stone", 1, { id: "stone", text: "A stone bridge over the river", page: 1 }],
    ["boat", 2, { id: "boat", text: "A boat on the river, and another boat", page: 2 }],
  ]);
  for (const { score, scores } of seen.first) assert.deepEqual(scores, { bm25: score });
  assert.deepEqual([seen.replaced.bridge, seen.replaced.size, seen.replaced.wall[0].document.page], [[], 3, 9]);
  assert.deepEqual(seen.removed, [1, 2, []]);
  assert.deepEqual(seen.rest, [["map", "stone"], { id: "map", text: "Bridges and rivers of the county", page: 3 }, undefined, [], []]);
  assert.deepEqual(seen.cleared, [0, []]);
});

test("what was added is there after a reload, vectors included, and is not embedded again", async (t) => {
  const page = await open(t);
  const before = await page.evaluate(async () => {
    const index = await open({ embedder: letters(), stemming: "english" });
    await index.add(bridges);
    const runs = [];
    for (const mode of ["bm25", "dense", "hybrid"]) runs.push(await index.search("bridges", { mode }));
    return runs;
  });
  await page.reload();
  await page.waitForFunction(() => document.title === "ready");
  await prepare(page);
  const { after, log, plain } = await page.evaluate(async () => {
    const log = [];
    const index = await open({ embedder: letters("letters", log) });
    const after = [];
    for (const mode of ["bm25", "dense", "hybrid"]) after.push(await index.search("bridges", { mode }));
    return { after, log, plain: found(await (await open({})).search("bridge")) };
  });
  assert.deepEqual(after, before);
  assert.deepEqual(log, [["query", 1], ["query", 1]]);
  assert.deepEqual(before.map((results) => results.length), [2, 3, 3]);
  assert.deepEqual(plain, ["1 map", "2 stone"]);
  const [words, vectors, both] = before;
  for (const { id, scores } of both) {
    assert.equal(scores.bm25, words.find((result) => result.id === id)?.scores.bm25);
    assert.equal(scores.dense, vectors.find((result) => result.id === id).scores.dense);
  }
});

test("two tabs that write at once lose nothing, and each finds what the other has stored", async (t) => {
  const page = await open(t);
  const other = await anotherTab(page);
  const work = async (tab) => {
    const index = await open({ embedder: letters() });
    const add = (from) => index.add(Array.from({ length: 150 }, (_, at) => ({ id: `${tab} ${from + at}`, text: `${tab} page number n${from + at}` })));
    await Promise.all([add(0), add(150)]);
    await index.remove([`${tab} 7`]);
    globalThis.index = index;
  };
  await Promise.all([page.evaluate(work, "left"), other.evaluate(work, "right")]);
  const look = async () => ({
    size: await index.size(), left: found(await index.search("left n299", { top: 1, mode: "bm25" })), right: found(await index.search("right n299", { top: 1, mode: "bm25" })),
    gone: (await index.search("n7", { top: 5, mode: "bm25" })).length, dense: (await index.search("left", { top: 1000, mode: "dense" })).length,
  });
  for (const tab of [page, other]) {
    assert.deepEqual(await tab.evaluate(look), { size: 598, left: ["1 left 299"], right: ["1 right 299"], gone: 0, dense: 598 });
  }
  await other.evaluate(() => index.clear());
  assert.deepEqual(await page.evaluate(async () => [await index.size(), await index.search("left", { mode: "bm25" })]), [0, []]);
  await page.evaluate(() => index.add([{ id: "new", text: "A new start" }]));
  assert.deepEqual(await other.evaluate(async () => found(await index.search("start"))), ["1 new"]);
});

test("an index with vectors of another model gets new ones, and whoever holds the old model is told", async (t) => {
  const page = await open(t);
  const { log, dense, stale, late } = await page.evaluate(async () => {
    const first = await open({ embedder: letters("first") });
    await first.add(bridges);
    await first.search("bridge");
    await (await open({})).add([{ id: "late", text: "added without an embedder" }]);
    const log = [];
    const progress = [];
    const second = await open({ embedder: letters("second", log, "aeiou"), onProgress: (event) => progress.push(event) });
    const dense = (await second.search("bridge", { mode: "dense" })).length;
    return {
      log, dense, stale: [await attempt(() => first.search("bridge")), await attempt(() => first.add(bridges))], late: [progress, found(await first.search("bridge", { mode: "bm25" }))],
    };
  });
  assert.deepEqual([log, dense], [[["document", 4], ["query", 1]], 4]);
  for (const outcome of stale) assertCode(outcome, "invalid_argument", /vectors of second, found first; open it again/);
  assert.deepEqual(late, [[{ type: "embed", done: 4, total: 4 }], ["1 stone"]]);
});

test("an abort ends adding between portions: what was stored is there, and adding again completes it", async (t) => {
  const page = await open(t);
  const outcome = await page.evaluate(async () => {
    const index = await open({ embedder: letters() });
    const documents = Array.from({ length: 1000 }, (_, at) => ({ id: `d${at}`, text: `page n${at}` }));
    const controller = new AbortController();
    const seen = [];
    const onProgress = ({ done }) => {
      seen.push(done);
      if (done === 400) controller.abort();
    };
    const stopped = await attempt(() => index.add(documents, { signal: controller.signal, onProgress }));
    const size = await index.size();
    // An abort while the embedder works stores nothing of that portion.
    const waiting = new AbortController();
    const slow = await open({ embedder: { info: { model: "letters" }, embed: (_, { signal }) => new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      setTimeout(() => waiting.abort());
    }) } });
    const mid = await attempt(() => slow.add([{ id: "mid", text: "x" }], { signal: waiting.signal }));
    const after = await index.size();
    await index.add(documents);
    return { stopped, seen, size, mid, after, all: await index.size(), last: found(await index.search("n999", { mode: "bm25" })) };
  });
  assertCode(outcome.stopped, "aborted");
  assertCode(outcome.mid, "aborted");
  assert.deepEqual([outcome.seen, outcome.size, outcome.after, outcome.all, outcome.last], [[200, 400], 400, 400, 1000, ["1 d999"]]);
});

test("a full disk is a storage error, and what was stored before is all there", async (t) => {
  const page = await open(t);
  const outcome = await page.evaluate(async () => {
    // In the page itself, where the test can stand in for a disk that is full after the third document.
    const index = await open({ worker: false });
    await index.add(bridges);
    const { put } = IDBObjectStore.prototype;
    let room = 3;
    IDBObjectStore.prototype.put = function (...given) {
      if (this.name === "documents" && (room -= 1) < 0) throw new DOMException("no space left", "QuotaExceededError");
      return put.apply(this, given);
    };
    const more = Array.from({ length: 10 }, (_, at) => ({ id: at === 0 ? "stone" : `d${at}`, text: "bridge of noise" }));
    const full = await attempt(() => index.add(more));
    IDBObjectStore.prototype.put = put;
    const kept = [await index.size(), found(await index.search("bridge")), await index.get("stone")];
    await index.add(more);
    return { full, kept, after: await index.size() };
  });
  assertCode(outcome.full, "storage", /no more space; what was stored before is kept/);
  assert.deepEqual(outcome.kept, [3, ["1 stone"], { id: "stone", text: "A stone bridge over the river", page: 1 }]);
  assert.equal(outcome.after, 12);
});

test("what a newer version has stored is an error that says so; a stored BM25 of another version is made again", async (t) => {
  const page = await open(t);
  const outcome = await page.evaluate(async () => {
    const request = (request) => new Promise((resolve, reject) => Object.assign(request, { onsuccess: () => resolve(request.result), onerror: () => reject(request.error) }));
    (await request(indexedDB.open("foliorank-index:newer", 99))).close();
    const newer = await attempt(() => Index.open({ name: "newer" }));
    const index = await open({});
    await index.add(Array.from({ length: 400 }, (_, at) => ({ id: `d${at}`, text: `page n${at}` })));
    await index.close();
    const database = await request(indexedDB.open("foliorank-index:pages"));
    const stored = await request(database.transaction("bm25").objectStore("bm25").get("bm25"));
    await request(database.transaction("bm25", "readwrite").objectStore("bm25").put(new Uint8Array([9, ...stored.slice(1)]), "bm25"));
    database.close();
    const again = await open({});
    return { newer, stored: stored.length, found: found(await again.search("n123")), closed: await attempt(() => index.size()), other: await attempt(() => open({ stemming: "english" })) };
  });
  assertCode(outcome.newer, "storage", /newer version of foliorank/);
  assertCode(outcome.closed, "invalid_argument", /was closed/);
  assertCode(outcome.other, "invalid_argument", /was made with "none", found "english"/);
  assert.ok(outcome.stored > 1000);
  assert.deepEqual(outcome.found, ["1 d123"]);
});

test("an index that is deleted while it is open is empty, not broken", async (t) => {
  const page = await open(t);
  const outcome = await page.evaluate(async () => {
    const index = await open({});
    await index.add(bridges);
    await index.search("bridge");
    await new Promise((resolve, reject) => Object.assign(indexedDB.deleteDatabase("foliorank-index:pages"), { onsuccess: resolve, onerror: reject }));
    const empty = [await index.search("bridge"), await index.size()];
    await index.add([bridges[2]]);
    return { empty, after: found(await index.search("county")) };
  });
  assert.deepEqual(outcome, { empty: [[], 0], after: ["1 map"] });
});

test("ten thousand documents are added and searched by the worker: the page hands over small portions and goes on", { timeout: 5 * MINUTES }, async (t) => {
  const page = await open(t);
  await page.evaluate(refuseWasm);
  await page.evaluate(() => {
    // What is posted since the page last had a turn for other things.
    const seen = { sinceTurn: 0, most: 0, largest: 0, characters: 0, turns: 0 };
    globalThis.seen = seen;
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (message, ...rest) {
      const documents = message.args?.documents ?? [];
      seen.sinceTurn += documents.length;
      seen.most = Math.max(seen.most, seen.sinceTurn);
      seen.largest = Math.max(seen.largest, documents.length);
      seen.characters += documents.reduce((total, { text }) => total + text.length, 0);
      return post.call(this, message, ...rest);
    };
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { seen.turns += 1; seen.sinceTurn = 0; port2.postMessage(null); };
    port2.postMessage(null);
  });
  const outcome = await page.evaluate(async (lengths) => {
    const documents = Array.from({ length: 10_000 }, (_, at) => ({ id: `d${at}`, text: `n${at} ${lengths.map((each) => `word${(at * each) % 2999}`).join(" ")}` }));
    const index = await open({});
    const before = seen.turns;
    await index.add(documents);
    const turns = seen.turns - before;
    const best = [];
    for (let at = 0; at < 10; at += 1) best.push((await index.search(`n${at * 999} word7`))[0].id);
    return { ...seen, turns, best, size: await index.size(), given: documents.reduce((total, { text }) => total + text.length, 0) };
  }, Array.from({ length: 60 }, (_, at) => 7 + 13 * at));
  assert.equal(outcome.size, 10_000);
  assert.deepEqual(outcome.best, Array.from({ length: 10 }, (_, at) => `d${at * 999}`));
  assert.equal(outcome.characters, outcome.given, "every text was counted");
  assert.ok(outcome.largest <= 200 && outcome.most <= 200, JSON.stringify(outcome));
  assert.ok(outcome.turns >= 50, `${outcome.turns} turns for other things`);
});

test("a worker that dies takes its call with it, and the next one reads the index from storage", async (t) => {
  const page = await open(t);
  const outcome = await page.evaluate(async () => {
    const workers = [];
    const Original = globalThis.Worker;
    globalThis.Worker = class extends Original {
      constructor(...given) {
        super(...given);
        workers.push(this);
      }
    };
    const index = await open({ embedder: letters() });
    await index.add(bridges);
    const pending = attempt(() => index.search("river"));
    workers[0].onerror(new ErrorEvent("error", { message: "out of memory" }));
    return { pending: await pending, after: found(await index.search("boat", { top: 1 })), workers: workers.length };
  });
  assertCode(outcome.pending, "internal", /out of memory/);
  assert.deepEqual([outcome.after, outcome.workers], [["1 boat"], 2]);
});

test("without a worker it works in the page itself", async (t) => {
  const page = await open(t);
  assert.deepEqual(await page.evaluate(async () => {
    const index = await open({ worker: false });
    await index.add(bridges);
    return found(await index.search("stone bridge"));
  }), ["1 stone"]);
});

test("what makes no sense is refused by name", async (t) => {
  const page = await open(t);
  const outcomes = await page.evaluate(async () => {
    const index = await open({});
    return [
      await attempt(() => open({ name: " " })), await attempt(() => open({ embedder: {} })), await attempt(() => open({ stemming: "german" })),
      await attempt(() => index.add([{ text: "a" }])), await attempt(() => index.add([{ id: "a" }])), await attempt(() => index.add([{ id: "a", text: "a", f() {} }])),
      await attempt(() => index.search(7)), await attempt(() => index.search("a", { top: 0 })), await attempt(() => index.search("a", { mode: "dense" })),
      await attempt(() => index.remove("a")), await attempt(async () => (await open({ embedder: letters() })).search("a", { fusion: "mean" })),
    ];
  });
  for (const [place, message] of [/name/, /embedder/, /stemming/, /documents\[0\]\.id/, /documents\[0\]\.text/, /could not be sent/, /query/, /top/, /needs an index that was opened with an embedder/, /ids/, /rrf/].entries()) {
    assertCode(outcomes[place], "invalid_argument", message);
  }
});
