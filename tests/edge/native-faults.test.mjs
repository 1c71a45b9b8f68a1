// What only a real server can show of `foliorank serve`: requests scored together, clients that break off or stall, limits, signals.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { dieAndReturn, drip, fuzz, poison } from "./faults.mjs";
import { endure, foliorank, raw, root, start, tiny } from "./host.mjs";

const serve = (t, args = [], env = {}) => start(t, foliorank, ["serve", "--port", "0", "--model", tiny, ...args], { cwd: root, env });
const documents = ["The old stone bridge over the river.", "Berlin is well known for its museums.", "A pool."];
const asked = { query: "good bridge", documents };
/** Many seconds of work. */
const long = { query: "good bridge", documents: Array.from({ length: 1000 }, (_, index) => `${index} ${documents[0].repeat(20)}`) };
const post = (url, body, { headers = {}, ...more } = {}) => fetch(`${url}/rerank`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body), ...more });
const name = ({ name: code }) => code;

async function gauge(url, metric) {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^foliorank_${metric} (\\d+)$`, "m").exec(text)?.[1]);
}

/** Waits for what is to come soon. */
async function until(condition, what) {
  for (let round = 0; round < 200; round += 1) {
    if (await condition()) return;
    await sleep(50);
  }
  assert.fail(`${what} did not come about within 10 s`);
}

test("short requests are answered while a long one is worked on, as they are alone", { timeout: 120_000 }, async (t) => {
  const { url } = await serve(t);
  const short = { query: asked.query, documents: [documents[0]] };
  const alone = await (await post(url, short)).json();
  const stopping = new AbortController();
  let longEnded = false;
  const first = post(url, long, { signal: stopping.signal }).then(() => { longEnded = true; }, name);
  await until(async () => (await gauge(url, "working")) === 1, "work on the long request");
  const before = await gauge(url, "batches_total");
  const answers = await Promise.all(Array.from({ length: 24 }, (_, index) => post(url, index % 6 === 5 ? { ...short, window: 3 } : short).then((response) => response.json())));
  const batches = (await gauge(url, "batches_total")) - before;
  assert.equal(longEnded, false);
  for (const [index, { results, error }] of answers.entries()) {
    if (index % 6 === 5) assert.equal(error.code, "invalid_argument");
    else assert.ok(Math.abs(results[0].relevance_score - alone.results[0].relevance_score) < 2e-5);
  }
  assert.ok(batches < 24, `${batches} batches for 24 requests`);
  stopping.abort();
  assert.equal(await first, "AbortError");
  await until(async () => (await gauge(url, "working")) === 0, "the end of the abandoned request");
  assert.match(await (await fetch(`${url}/metrics`)).text(), /foliorank_requests_total\{route="\/rerank",status="499"\} 1\n/);
});

test("a client that leaves an event stream ends its work", { timeout: 60_000 }, async (t) => {
  const { url } = await serve(t);
  const stopping = new AbortController();
  const response = await post(url, long, { headers: { accept: "text/event-stream" }, signal: stopping.signal });
  const reader = response.body.getReader();
  assert.match(String(new TextDecoder().decode((await reader.read()).value)), /^event: progress\ndata: \{"batch":0,/);
  stopping.abort();
  await until(async () => (await gauge(url, "working")) === 0, "the end of the work");
});

test("progress counts up to the end, also of an error", { timeout: 60_000 }, async (t) => {
  const { url } = await serve(t);
  const events = async (body) => {
    const text = await (await post(url, body, { headers: { accept: "text/event-stream" } })).text();
    return text.trim().split("\n\n").map((block) => /^event: (\w+)\ndata: (.*)$/s.exec(block).slice(1)).map(([event, data]) => [event, JSON.parse(data)]);
  };
  const all = await events({ ...long, documents: long.documents.slice(0, 40) });
  assert.deepEqual(all.map(([event]) => event), [...Array(all.length - 1).fill("progress"), "result"]);
  const told = all.slice(0, -1).map(([, progress]) => progress);
  assert.ok(told.length > 3);
  for (const [index, { batch, batches, tokens, totalTokens }] of told.entries()) {
    assert.ok(batch <= batches && tokens <= totalTokens && (index === 0 || tokens > told[index - 1].tokens), JSON.stringify(told));
  }
  const last = told.at(-1);
  assert.deepEqual([last.batch, last.tokens], [last.batches, last.totalTokens]);
  const [[event, refusal]] = await events({ query: 3 });
  assert.deepEqual([event, refusal.error.code], ["error", "invalid_argument"]);
});

test("more requests than may wait are answered 429, and one that takes too long 504", { timeout: 60_000 }, async (t) => {
  const { url } = await serve(t, ["--concurrency", "1", "--queue", "1", "--timeout-ms", "3000"]);
  const first = post(url, long);
  await until(async () => (await gauge(url, "working")) === 1, "work");
  const second = post(url, long);
  await until(async () => (await gauge(url, "waiting")) === 1, "waiting");
  const third = await post(url, asked);
  assert.deepEqual([third.status, (await third.json()).error.code], [429, "busy"]);
  assert.ok(Number(third.headers.get("retry-after")) >= 1);
  for (const response of await Promise.all([first, second])) {
    assert.deepEqual([response.status, (await response.json()).error], [504, { code: "timeout", message: "expected an answer within 3000 ms" }]);
  }
  assert.equal((await post(url, asked)).status, 200);
});

test("a token is asked for, a gigabyte is refused before it is sent, half a body is survived", { timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "foliorank-tokens-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "tokens");
  writeFileSync(file, "one\ntwo\n");
  const { url } = await serve(t, ["--tokens-file", file], { FOLIORANK_TOKENS: "another" });
  await endure(t, url);
  assert.equal((await post(url, asked, { headers: { authorization: "Bearer another" } })).status, 401);
  writeFileSync(file, "\n");
  const refused = spawnSync(foliorank, ["serve", "--port", "0", "--model", tiny, "--tokens-file", file], { encoding: "utf8", timeout: 30_000 });
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /expected tokens, found none/);
});

test("what is not announced is counted, and what stalls ends with the time limit", { timeout: 60_000 }, async (t) => {
  const { url } = await serve(t, ["--timeout-ms", "500", "--body-bytes", "100000"]);
  const head = "POST /rerank HTTP/1.1\r\nHost: h\r\n";
  const chunk = `4000\r\n${"x".repeat(0x4000)}\r\n`;
  const chunked = await raw(t, url, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(8)}`);
  assert.match(String((await once(chunked, "data"))[0]), /^HTTP\/1\.1 413 /);
  const stalled = await raw(t, url, `${head}Content-Length: 100\r\n\r\n{"query":`);
  assert.match(String((await once(stalled, "data"))[0]), /^HTTP\/1\.1 504 /);
  const begun = performance.now();
  const headless = await raw(t, url, `${head}X-More: `);
  headless.resume();
  await once(headless, "close");
  const took = performance.now() - begun;
  assert.ok(took > 300 && took < 30_000, `closed after ${took} ms`);
  assert.equal((await post(url, asked)).status, 200);
});

test("told to end, the server takes no more, finishes what is under way and exits 0", { timeout: 60_000 }, async (t) => {
  const { url, child, ended } = await serve(t, ["--end-ms", "40000"]);
  const under = post(url, { ...long, documents: long.documents.slice(0, 150) });
  await until(async () => (await gauge(url, "working")) === 1, "work");
  child.kill("SIGTERM");
  await until(() => fetch(`${url}/health`).then(() => false, () => true), "a closed door");
  const response = await under;
  assert.deepEqual([response.status, (await response.json()).results.length], [200, 150]);
  assert.deepEqual(await ended, { code: 0, signal: null });
});

test("what is not finished in the time for the end is left", { timeout: 60_000 }, async (t) => {
  const { url, child, ended, said } = await serve(t, ["--end-ms", "200"]);
  const under = post(url, long).then(() => "answered", () => "cut");
  await until(async () => (await gauge(url, "working")) === 1, "work");
  child.kill("SIGINT");
  assert.deepEqual(await ended, { code: 0, signal: null });
  assert.equal(await under, "cut");
  assert.match(said(), /not all that was under way/);
});

test("a port that is taken, and an embedder that is none, are told", { timeout: 60_000 }, async (t) => {
  const { url } = await serve(t);
  const refused = (...args) => {
    const { status, stderr } = spawnSync(foliorank, ["serve", "--model", tiny, ...args], { encoding: "utf8", timeout: 30_000 });
    assert.equal(status, 1);
    return stderr;
  };
  assert.match(refused("--port", new URL(url).port), /listening on 127\.0\.0\.1:\d+/);
  assert.match(refused("--port", "0", "--embedder", tiny), /--embedder: expected a bi-encoder/);
});

test("the native server outlives broken bodies, poisonous documents and a slow client", { timeout: 180_000 }, async (t) => {
  const { url } = await serve(t);
  await fuzz(url);
  await poison(url);
  await drip(t, url);
});

test("the native server, killed in the middle of work, answers as before when it is started again", { timeout: 120_000 }, async (t) => {
  await dieAndReturn(({ port = "0" }) => start(t, foliorank, ["serve", "--port", port, "--model", tiny], { cwd: root }));
});
