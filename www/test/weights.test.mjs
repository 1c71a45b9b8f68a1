// Downloads against a real local server that misbehaves on purpose, and a Cache API held in memory.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { code, source } from "./source.mjs";

const { download, loadFile, loadManifest, manifestUrl, FileCache } = source;

const body = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 31) % 251));
let server;
let base;
/** The server's behaviour in the running test, and what it was asked. */
let behave;
let asked;

before(async () => {
  server = createServer((request, response) => {
    asked.push({ url: request.url, range: request.headers.range });
    behave(request, response, asked.length);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${server.address().port}/`;
});
after(() => { server.closeAllConnections(); server.close(); });
beforeEach(() => {
  asked = [];
  behave = (_request, response) => response.writeHead(200, { "content-length": body.length }).end(body);
  globalThis.caches = memoryCaches();
});

/** CacheStorage as far as cache.ts uses it. `full` makes every put fail. */
function memoryCaches({ full = false } = {}) {
  const entries = new Map();
  const cache = {
    match: async (key) => entries.get(key)?.clone(),
    put: async (key, response) => {
      if (full) throw new DOMException("no space", "QuotaExceededError");
      entries.set(key, response);
    },
    delete: async (key) => entries.delete(typeof key === "string" ? key : key.url),
    keys: async () => [...entries.keys()].map((url) => ({ url })),
  };
  return { open: async () => cache, entries };
}

/** Sends the first `bytes` of an answer and cuts the connection. */
function cut(response, from, bytes, status = 200) {
  response.writeHead(status, {
    "content-length": body.length - from, ...(status === 206 ? { "content-range": `bytes ${from}-${body.length - 1}/${body.length}` } : {}),
  });
  response.write(body.subarray(from, from + bytes), () => setTimeout(() => response.destroy(), 20));
}

const entry = { path: "model.safetensors", bytes: body.length, sha256: "abc" };
const get = (more = {}) => download({ url: `${base}file`, file: "file", bytes: body.length, ...more });

test("a download reports its progress and is complete", async () => {
  const seen = [];
  const bytes = await get({ onProgress: (loaded, total) => seen.push([loaded, total]) });
  assert.deepEqual(Buffer.from(bytes), body);
  assert.deepEqual(seen.at(-1), [body.length, body.length]);
  assert.ok(seen.every(([loaded], index) => index === 0 || loaded > seen[index - 1][0]));
});

test("a connection cut half-way is resumed where it broke", async () => {
  behave = (request, response, nth) => {
    if (nth === 1) return cut(response, 0, 90_000);
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range)[1]);
    response.writeHead(206, { "content-range": `bytes ${from}-${body.length - 1}/${body.length}`, "content-length": body.length - from });
    return response.end(body.subarray(from));
  };
  assert.deepEqual(Buffer.from(await get()), body);
  assert.equal(asked.length, 2);
  assert.match(asked[1].range, /^bytes=[1-9]\d*-$/);
});

test("a server that ignores ranges sends everything again", async () => {
  behave = (_request, response, nth) => (nth === 1 ? cut(response, 0, 90_000) : response.writeHead(200).end(body));
  assert.deepEqual(Buffer.from(await get()), body);
});

test("a connection cut twice is a download error that says how far it came", async () => {
  behave = (request, response) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "bytes=0-")[1]);
    cut(response, from, 10_000, from > 0 ? 206 : 200);
  };
  await assert.rejects(get(), code("download", /of 200000 bytes arrived/));
  assert.equal(asked.length, 2);
});

test("a range that starts elsewhere is refused, not glued together", async () => {
  behave = (_request, response, nth) => {
    if (nth === 1) return cut(response, 0, 90_000);
    return response.writeHead(206, { "content-range": `bytes 5-${body.length - 1}/${body.length}` }).end(body.subarray(5));
  };
  await assert.rejects(get(), code("download", /changed on the server/));
});

test("a file that is shorter or longer than the manifest says is a download error", async () => {
  behave = (request, response) => (request.headers.range
    ? response.writeHead(416).end() : response.writeHead(200, { "content-length": 1000 }).end(body.subarray(0, 1000)));
  await assert.rejects(get(), code("download", /1000 of 200000/));
  behave = (_request, response) => response.writeHead(200).end(Buffer.concat([body, body]));
  await assert.rejects(get(), code("download", /larger than expected/));
});

test("an HTTP error is named and never cached", async () => {
  behave = (_request, response) => response.writeHead(404).end("not here");
  await assert.rejects(loadFile(entry, base, { cache: "default" }), code("download", /404/));
  assert.equal(asked.length, 1);
  assert.equal(globalThis.caches.entries.size, 0);
});

test("an abort in the middle of a download rejects with aborted", async () => {
  const controller = new AbortController();
  behave = (_request, response) => {
    response.writeHead(200, { "content-length": body.length });
    response.write(body.subarray(0, 1000), () => setTimeout(() => controller.abort(), 10));
  };
  await assert.rejects(get({ signal: controller.signal }), code("aborted"));
  assert.equal(asked.length, 1);
});

test("the second load comes from the cache, and no-store never does", async () => {
  const first = await loadFile(entry, base, { cache: "default" });
  await first.stored;
  const second = await loadFile(entry, base, { cache: "default" });
  assert.deepEqual([first.cached, second.cached, asked.length], [false, true, 1]);
  assert.deepEqual(Buffer.from(second.bytes), body);
  assert.equal((await loadFile(entry, base, { cache: "no-store" })).cached, false);
  assert.equal(asked.length, 2);
});

test("another sha256 at the same address is another entry, and the old one goes", async () => {
  await (await loadFile(entry, base, { cache: "default" })).stored;
  const newer = await loadFile({ ...entry, sha256: "def" }, base, { cache: "default" });
  await newer.stored;
  assert.equal(newer.cached, false);
  assert.deepEqual([...globalThis.caches.entries.keys()], [`${base}model.safetensors?foliorank-sha256=def`]);
});

test("a cache entry of the wrong size is dropped and fetched again", async () => {
  const cache = await FileCache.open();
  await cache.put(`${base}model.safetensors`, "abc", new Uint8Array(17));
  const file = await loadFile(entry, base, { cache: "default" });
  assert.equal(file.cached, false);
  assert.deepEqual(Buffer.from(file.bytes), body);
});

test("storage that is full does not fail the load", async () => {
  globalThis.caches = memoryCaches({ full: true });
  const file = await loadFile(entry, base, { cache: "default" });
  await file.stored;
  assert.equal(file.bytes.length, body.length);
  globalThis.caches = { open: async () => { throw new DOMException("no", "SecurityError"); } };
  assert.equal((await loadFile(entry, base, { cache: "default" })).bytes.length, body.length);
});

test("only-if-cached does not touch the network", async () => {
  await assert.rejects(loadFile(entry, base, { cache: "only-if-cached" }), code("download", /only-if-cached/));
  await assert.rejects(loadManifest(`${base}model.json`, { cache: "only-if-cached" }), code("download", /only-if-cached/));
  assert.equal(asked.length, 0);
});

const manifest = JSON.stringify({
  name: "m", dimensions: { vocabulary: 1, hidden: 1, feed_forward: 1 }, files: { tokenizer: { ...entry }, weights: { ...entry } },
});

test("model.json comes from the network while there is one, and from the cache when there is none", async () => {
  behave = (_request, response) => response.writeHead(200).end(manifest);
  assert.equal((await loadManifest(`${base}model.json`, { cache: "default" })).data.name, "m");
  behave = (_request, response) => response.destroy();
  assert.equal((await loadManifest(`${base}model.json`, { cache: "default" })).data.name, "m");
  await assert.rejects(loadManifest(`${base}model.json`, { cache: "no-store" }), code("download"));
});

test("what is not a model.json is a manifest error and is not cached", async () => {
  for (const wrong of ["<!doctype html>", "null", "{}", manifest.replace('"bytes":200000', '"bytes":"many"')]) {
    behave = (_request, response) => response.writeHead(200).end(wrong);
    await assert.rejects(loadManifest(`${base}model.json`, { cache: "default" }), code("manifest"));
  }
  assert.equal(globalThis.caches.entries.size, 0);
});

test("the model may be a folder or its model.json", () => {
  assert.equal(manifestUrl("https://a.example/m"), "https://a.example/m/model.json");
  assert.equal(manifestUrl("https://a.example/m/?v=2"), "https://a.example/m/model.json?v=2");
  assert.equal(manifestUrl("../m/model.json", "https://a.example/x/y"), "https://a.example/m/model.json");
  assert.throws(() => manifestUrl("no base here"), code("invalid_argument"));
});
