// What every server has to outlive: broken bodies without end, documents that are poison, clients that dawdle, and its own death.
// `begin({ port })` starts the server, on a port of its choice without one, and gives what host.mjs's `start` gives.
import assert from "node:assert/strict";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { raw } from "./host.mjs";

const asked = { query: "good bridge", documents: ["The old stone bridge over the river.", "Berlin is well known for its museums.", "A pool."] };
const post = (url, body) => fetch(`${url}/rerank`, { method: "POST", headers: { "content-type": "application/json" }, body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body) });
const ranking = async (url) => (await (await post(url, asked)).json()).results;

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
function draws(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const BITS = ["{", "}", "[", "]", ",", ":", "\"", "\\", "\\u12", "\\ud800", "1e999", "-", "null", "true", "NaN", "\u0000", "\ufeff", "\"query\":", "\"documents\":[", "\"top_n\":-1,", "\"window\":1e9,", "{\"text\":"];

/** A body that was good, cut, doubled, flipped or filled up somewhere. */
function broken(draw) {
  let body = Buffer.from(JSON.stringify({ ...asked, top_n: 2, window: 64 }));
  for (let turn = 0; turn <= draw() * 3; turn += 1) {
    const at = Math.floor(draw() * body.length);
    const [before, after] = [body.subarray(0, at), body.subarray(at)];
    const bit = Buffer.from(BITS[Math.floor(draw() * BITS.length)]);
    body = [
      () => before, () => Buffer.concat([before, after.subarray(1)]), () => Buffer.concat([before, bit, after]), () => Buffer.concat([before, Buffer.from([draw() * 256]), after.subarray(1)]),
      () => Buffer.concat([before, after.subarray(0, 9), after]), () => Buffer.concat([before, bit, bit, bit, after.subarray(3)]),
    ][Math.floor(draw() * 6)]();
  }
  return new Uint8Array(body);
}

/** Bodies that no client writes are refused, never answered with a server's error, and change nothing for the next. */
export async function fuzz(url, { rounds = 400 } = {}) {
  const draw = draws(7);
  const before = await ranking(url);
  const statuses = new Map();
  const nested = (open, close) => `{"query":"a","documents":${open.repeat(20_000)}${close.repeat(20_000)}}`;
  const bodies = [...Array.from({ length: rounds }, () => broken(draw)), nested("[", "]"), nested('{"text":', "}"), "[".repeat(100_000), `{"query":${"9".repeat(50_000)},"documents":[]}`];
  for (const body of bodies) {
    const response = await post(url, body);
    const answer = await response.json();
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    const shown = Buffer.from(body).toString("utf8").slice(0, 300);
    assert.ok(response.status === 200 ? answer.results : [400, 413].includes(response.status) && answer.error.code, `${response.status} ${JSON.stringify(answer)} for ${shown}`);
  }
  assert.ok(statuses.get(400) > rounds / 2 && statuses.get(200) > 0, JSON.stringify([...statuses]));
  assert.deepEqual(await ranking(url), before);
}

/** Documents that are hard to bear. The rest of their own request is ranked as ever, and so are the requests beside it. */
export async function poison(url) {
  const before = await ranking(url);
  const score = new Map(before.map(({ index, relevance_score }) => [index, relevance_score]));
  const hard = ["", "\u0000".repeat(5000), "x".repeat(200_000), "\u{1f980}\u200d".repeat(3000), "a\u0301".repeat(4000), "\r\n\t ".repeat(5000), "\u202e\ufeff\ufffd\uffff", "[CLS] [SEP] [PAD] [UNK] [MASK]", "Ａ".repeat(2000)];
  const good = (results) => results.filter(({ index }) => index < 3);
  const [alone, ...beside] = await Promise.all([
    post(url, { ...asked, documents: [...asked.documents, ...hard] }),
    ...Array.from({ length: 4 }, () => post(url, asked)), post(url, { ...asked, documents: [asked.documents[0], null] }), post(url, { query: "good bridge", documents: [asked.documents[0], { text: 7 }] }),
  ]);
  const { results } = await alone.json();
  assert.equal(results?.length, 12);
  for (const { index, relevance_score } of good(results)) assert.ok(Math.abs(relevance_score - score.get(index)) < 2e-5);
  for (const response of beside.slice(0, 4)) {
    for (const { index, relevance_score } of (await response.json()).results) assert.ok(Math.abs(relevance_score - score.get(index)) < 2e-5);
  }
  for (const response of beside.slice(4)) assert.deepEqual([response.status, (await response.json()).error.code], [400, "invalid_argument"]);
}

/** A body that drips in keeps nobody else waiting, and is answered when it is there. */
export async function drip(t, url) {
  const body = JSON.stringify(asked);
  const expected = await ranking(url);
  const slow = await raw(t, url, `POST /rerank HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`);
  let said = "";
  slow.on("data", (bytes) => { said += bytes; });
  const closed = once(slow, "close");
  const step = Math.ceil(body.length / 12);
  for (let at = 0; at < body.length; at += step) {
    assert.equal(said, "");
    slow.write(body.slice(at, at + step));
    if (at + step < body.length) assert.deepEqual(await ranking(url), expected);
    await sleep(30);
  }
  await closed;
  assert.match(said, /^HTTP\/1\.1 200 /);
  for (const { index } of expected) assert.ok(said.includes(`"index":${index}`));
}

/** Killed without warning in the middle of work, it is there again on its port, and answers as before. */
export async function dieAndReturn(begin) {
  const first = await begin({});
  const expected = await ranking(first.url);
  const long = { query: "good bridge", documents: Array.from({ length: 1000 }, (_, index) => `${index} ${asked.documents[0].repeat(20)}`) };
  const under = post(first.url, long).then(() => "answered", () => "cut");
  await sleep(100);
  first.child.kill("SIGKILL");
  assert.equal((await first.ended).signal, "SIGKILL");
  assert.equal(await under, "cut");
  const second = await begin({ port: new URL(first.url).port });
  assert.equal(second.url, first.url);
  assert.deepEqual(await ranking(second.url), expected);
}
