// The handler's route to a language model, over an upstream on this machine: what goes there, what comes back, and what does not.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { bundleLlm, startLlm } from "./llm-server.mjs";
import { bundle } from "./source.mjs";

const www = join(dirname(fileURLToPath(import.meta.url)), "..");
const { createHandler } = await bundle(["edge/index.ts"]);
const KEY = "sk-of-the-server";
const messages = [{ role: "user", content: "Who?" }];
const json = { "content-type": "application/json" };
const events = { "content-type": "text/event-stream" };

/** An upstream that answers with `behave(request, response, body)`, a handler in front of it, and what both saw. */
async function open(t, behave, { limits = {}, key = KEY } = {}) {
  const seen = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (piece) => { text += piece; });
    request.on("end", () => {
      const { method, url, headers } = request;
      const asked = { method, url, headers, body: JSON.parse(text), closed: new Promise((resolve) => { response.once("close", () => resolve(response.writableFinished)); }) };
      seen.push(asked);
      behave(response, asked.body);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const heard = [];
  const baseUrl = `http://127.0.0.1:${server.address().port}/v1`;
  const handler = createHandler({
    reranker: { info: {}, rerank: async () => { throw new Error("not asked"); } }, auth: ["token"], onError: (error) => heard.push(error),
    llm: { baseUrl, key, models: ["small", "large"], limits },
  });
  const ask = (body = { messages }, { headers = {}, signal } = {}) => handler(new Request("http://host/v1/chat/completions", {
    method: "POST", body: typeof body === "string" ? body : JSON.stringify(body), headers: { authorization: "Bearer token", ...headers }, ...(signal ? { signal } : {}),
  }));
  return { ask, seen, heard, baseUrl };
}

const say = (value) => (response) => response.writeHead(200, json).end(JSON.stringify(value));
const refused = async (response, status, code, message = /./) => {
  const text = await response.text();
  assert.deepEqual([response.status, JSON.parse(text).error?.code], [status, code], text);
  assert.match(JSON.parse(text).message, message);
  assert.doesNotMatch(text, /sk-|127\.0\.0\.1|secret/);
};

test("a request goes on with the server's key, its first model and a limit, and the answer comes back as it is", async (t) => {
  const { ask, seen } = await open(t, say({ id: "x", choices: [{ message: { content: "Ä" } }] }));
  const response = await ask({ messages, temperature: 0, max_completion_tokens: null }, { headers: { cookie: "a=b", "x-api-key": "k", "x-request-id": "r-1" } });
  assert.deepEqual(await response.json(), { id: "x", choices: [{ message: { content: "Ä" } }] });
  assert.deepEqual([response.headers.get("content-type"), response.headers.get("x-request-id")], ["application/json", "r-1"]);
  const [{ method, url, headers, body }] = seen;
  assert.deepEqual([method, url, headers.authorization, headers.cookie, headers["x-api-key"]], ["POST", "/v1/chat/completions", `Bearer ${KEY}`, undefined, undefined]);
  assert.deepEqual(body, { messages, temperature: 0, max_completion_tokens: null, model: "small", max_tokens: 4096 });
});

test("a model and a limit of the request's own are kept, and without a key none is sent", async (t) => {
  const { ask, seen } = await open(t, say({}), { key: "" });
  await ask({ messages, model: "large", max_completion_tokens: 9 });
  assert.deepEqual(seen[0].body, { messages, model: "large", max_completion_tokens: 9 });
  assert.equal(seen[0].headers.authorization, undefined);
});

for (const [name, body, status, code, message] of [
  ["another model", { messages, model: "huge" }, 400, "invalid_argument", /model: expected one of small, large/],
  ["no messages", { messages: [] }, 400, "invalid_argument", /messages/],
  ["a field that is not known", { messages, n: 50 }, 400, "invalid_argument", /^n: expected one of model,/],
  ["more tokens than allowed", { messages, max_tokens: 101 }, 400, "invalid_argument", /max_tokens: expected a whole number from 1 to 100/],
  ["more tokens by the other name", { messages, max_tokens: 5, max_completion_tokens: 101 }, 400, "invalid_argument", /max_completion_tokens/],
  ["a body that is too large", { messages: [{ role: "user", content: "x".repeat(2000) }] }, 413, "too_large"],
  ["what is no JSON", "{", 400, "invalid_argument", /JSON/],
]) {
  test(`${name} is refused here, and the upstream hears nothing of it`, async (t) => {
    const { ask, seen } = await open(t, say({}), { limits: { tokens: 100, bodyBytes: 1000 } });
    await refused(await ask(body), status, code, message);
    assert.equal(seen.length, 0);
  });
}

test("who has no token is turned away, and a handler that would let everybody spend the key is not made", async (t) => {
  const { ask, seen } = await open(t, say({}));
  await refused(await ask(undefined, { headers: { authorization: "Bearer other" } }), 401, "unauthorized");
  assert.equal(seen.length, 0);
  const llm = { baseUrl: "https://api.example/v1", key: KEY, models: ["m"] };
  const auth = () => true;
  createHandler({ model: "m", auth, llm });
  createHandler({ model: "m", auth, llm: { ...llm, baseUrl: "http://localhost:1/v1" } });
  for (const [options, message] of [
    [{ llm }, /auth/], [{ auth, llm: { ...llm, baseUrl: "http://api.example/v1" } }, /https/], [{ auth, llm: { ...llm, baseUrl: "api.example" } }, /absolute/],
    [{ auth, llm: { ...llm, models: [] } }, /models/], [{ auth, llm: { ...llm, limits: { tokens: 0 } } }, /llm\.limits\.tokens/],
  ]) {
    assert.throws(() => createHandler({ model: "m", ...options }), (error) => error.code === "invalid_argument" && message.test(error.message) && !error.message.includes(KEY));
  }
});

test("without an upstream there is no such path", async () => {
  const handler = createHandler({ model: "m", auth: () => true });
  await refused(await handler(new Request("http://host/v1/chat/completions", { method: "POST" })), 404, "not_found", /there is \/health.*\/v1\/embeddings$/);
});

for (const [upstream, headers, status, code] of [
  [400, {}, 400, "invalid_argument"], [422, {}, 400, "invalid_argument"], [401, {}, 502, "llm"], [403, {}, 502, "llm"], [404, {}, 502, "llm"],
  [500, {}, 502, "llm"], [503, {}, 502, "llm"], [429, { "retry-after": "7" }, 429, "busy"], [429, { "retry-after": "secret" }, 429, "busy"],
]) {
  test(`an upstream's ${upstream} ${JSON.stringify(headers)} becomes ${status} ${code}, and of its words none are told`, async (t) => {
    const { ask, heard } = await open(t, (response) => response.writeHead(upstream, { ...json, ...headers }).end(JSON.stringify({ error: { message: `secret: ${KEY} is wrong` } })));
    const response = await ask();
    assert.equal(response.headers.get("retry-after"), headers["retry-after"] === "7" ? "7" : null);
    await refused(response, status, code);
    assert.deepEqual(heard.map(({ cause }) => cause.message), status >= 500 ? [`the upstream answered ${upstream}`] : []);
  });
}

test("a key is not carried to where an upstream points", async (t) => {
  const other = await open(t, say({}));
  const { ask } = await open(t, (response) => response.writeHead(307, { location: `${other.baseUrl}/chat/completions` }).end());
  await refused(await ask(), 502, "llm");
  assert.equal(other.seen.length, 0);
});

test("an upstream that is not there, that breaks off, or that says something else is an llm error", async (t) => {
  const down = createHandler({ model: "m", auth: () => true, onError: () => undefined, llm: { baseUrl: "http://127.0.0.1:1/v1", key: KEY, models: ["m"] } });
  await refused(await down(new Request("http://host/v1/chat/completions", { method: "POST", body: JSON.stringify({ messages }) })), 502, "llm", /reached/);
  const cut = await open(t, (response) => {
    response.writeHead(200, { ...json, "content-length": 100 }).write("{");
    setTimeout(() => response.destroy(), 20);
  });
  await refused(await cut.ask(), 502, "llm", /broke off/);
  const page = await open(t, (response) => response.writeHead(200, { "content-type": "text/html" }).end("<p>secret</p>"));
  await refused(await page.ask(), 502, "llm", /JSON/);
  const long = await open(t, say({ text: "x".repeat(2000) }), { limits: { answerBytes: 1000 } });
  await refused(await long.ask(), 502, "llm", /more than 1000 bytes/);
});

const decoder = new TextDecoder();

test("a stream is passed on piece by piece, while it is made", async (t) => {
  let go;
  const { ask } = await open(t, async (response) => {
    response.writeHead(200, events).write("data: 1\n\n");
    await new Promise((resolve) => { go = resolve; });
    response.end("data: [DONE]\n\n");
  });
  const response = await ask({ messages, stream: true });
  assert.deepEqual([response.headers.get("content-type"), response.headers.get("cache-control")], ["text/event-stream", "no-store"]);
  const reader = response.body.getReader();
  assert.equal(decoder.decode((await reader.read()).value), "data: 1\n\n");
  go();
  assert.equal(decoder.decode((await reader.read()).value), "data: [DONE]\n\n");
  assert.ok((await reader.read()).done);
});

const half = (response) => response.writeHead(200, events).write("data: 1\n\nda");
for (const [name, limits, behave, code] of [
  ["breaks off", {}, (response) => { half(response); setTimeout(() => response.destroy(), 20); }, "llm"],
  ["says nothing more", { timeoutMs: 3000 }, half, "timeout"],
  ["does not end", { answerBytes: 1000 }, async (response) => { half(response); while (!response.destroyed && !response.closed) { response.write("x".repeat(100)); await new Promise((resolve) => setTimeout(resolve, 1)); } }, "llm"],
]) {
  test(`a stream that ${name} ends with an event that says so`, { timeout: 30_000 }, async (t) => {
    const { ask, seen } = await open(t, behave, { limits });
    const text = await (await ask({ messages, stream: true })).text();
    const last = text.trimEnd().split("\n\n").at(-1);
    assert.equal(JSON.parse(last.slice("data: ".length)).error.code, code);
    assert.doesNotMatch(text, /sk-|127\.0\.0\.1/);
    assert.equal(await seen[0].closed, false);
  });
}

test("an answer that takes too long is a timeout", async (t) => {
  const { ask, seen } = await open(t, () => undefined, { limits: { timeoutMs: 1500 } });
  await refused(await ask(), 504, "timeout");
  assert.equal(await seen[0].closed, false);
});

test("the upstream is let go when the client goes, before the answer and in the middle of it", { timeout: 30_000 }, async (t) => {
  const silent = await open(t, () => undefined);
  const stopping = new AbortController();
  const asked = silent.ask(undefined, { signal: stopping.signal });
  while (silent.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  stopping.abort();
  await refused(await asked, 499, "aborted");
  assert.equal(await silent.seen[0].closed, false);
  const streaming = await open(t, half);
  const reader = (await streaming.ask({ messages, stream: true })).body.getReader();
  // Past what there is to read: now only the upstream is waited for.
  await reader.read();
  await reader.cancel();
  assert.equal(await streaming.seen[0].closed, false);
});

test("a turn lasts until the last byte: one more than may wait is told to try again", { timeout: 30_000 }, async (t) => {
  let end;
  const { ask, seen } = await open(t, (response) => {
    half(response);
    end = () => response.end();
  }, { limits: { concurrency: 1, queue: 0 } });
  const first = await ask({ messages, stream: true });
  const second = await ask();
  assert.match(second.headers.get("retry-after"), /^\d+$/);
  await refused(second, 429, "busy");
  end();
  await first.text();
  await (await ask({ messages, stream: true })).body.cancel();
  assert.equal(seen.length, 2);
});

test("an Llm of foliorank/llm asks through it, whole and streamed", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "foliorank-proxy-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(join(www, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "llm.mjs"), await bundleLlm(esbuild, www, false));
  const { openAiCompatible } = await import(pathToFileURL(join(folder, "llm.mjs")));
  const upstream = await startLlm(() => "broken");
  t.after(() => upstream.close());
  const handler = createHandler({ model: "m", auth: ["token"], llm: { baseUrl: upstream.baseUrl, key: KEY, models: ["scripted"] } });
  const real = globalThis.fetch;
  t.mock.method(globalThis, "fetch", (url, init) => (String(url).startsWith("https://host.example/") ? handler(new Request(url, init)) : real(url, init)));
  const llm = openAiCompatible({ baseUrl: "https://host.example/v1", apiKey: "token", model: "scripted" });
  const request = { system: "s", user: "u", temperature: 0, maxTokens: 50 };
  const signal = new AbortController().signal;
  assert.equal((await llm(request, { signal })).text, '{"queries": [');
  const heard = [];
  await llm(request, { signal, onText: (text) => heard.push(text) });
  assert.ok(heard.length > 1);
  assert.deepEqual(upstream.requests.map(({ headers, body }) => [headers.authorization, body.model, body.max_tokens]), Array(2).fill([`Bearer ${KEY}`, "scripted", 50]));
});
