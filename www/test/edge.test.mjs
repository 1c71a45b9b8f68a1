// The HTTP handler over a reranker whose answers the test decides: shapes, limits, CORS, authorisation, errors, streams, metrics.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { bundle } from "./source.mjs";

const { createHandler, RerankError } = await bundle(["edge/index.ts", "src/errors.ts"]);

const BASE = "http://host";
/** Scores a document by how often it has the query; `behave` may do something first. */
const reranker = (behave = async () => undefined) => ({
  info: { model: "fake", maxLength: 512, licence: "MIT", device: { kind: "cpu" } },
  async rerank(query, documents, options) {
    await behave({ query, documents, options });
    const results = documents
      .map(({ text }, index) => ({ index, relevanceScore: text.split(query).length - 1, passage: { start: 0, end: text.length }, document: documents[index] }))
      .sort((a, b) => b.relevanceScore - a.relevanceScore || a.index - b.index).slice(0, options.topN);
    return { results, usage: { tokens: 7 * documents.length } };
  },
});
const handler = (options = {}) => createHandler({ reranker: reranker(), onError: () => undefined, ...options });
const post = (path, body, headers = {}, more = {}) =>
  new Request(BASE + path, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body), headers: { "content-type": "application/json", ...headers }, ...more });
const get = (path, headers = {}) => new Request(BASE + path, { headers });
const asked = { query: "bridge", documents: ["a pool", "a bridge by a bridge", { text: "bridge", id: 7 }] };
const refused = async (response, status, code, message = /./) => {
  const body = await response.json();
  assert.deepEqual([response.status, body.error?.code], [status, code], JSON.stringify(body));
  assert.match(body.message, message);
  assert.equal(body.request_id, response.headers.get("x-request-id"));
};

for (const path of ["/rerank", "/v1/rerank", "/v2/rerank", "/v2/rerank/"]) {
  test(`${path} answers in Cohere's shape, sorted, with the place of each document`, async () => {
    const response = await handler()(post(path, { ...asked, model: "any", top_n: 2, return_documents: true }));
    const body = await response.json();
    assert.equal(response.status, 200);
    assert.deepEqual(body.results.map(({ index, relevance_score }) => [index, relevance_score]), [[1, 2], [2, 1]]);
    assert.deepEqual(body.results[1].document, { text: "bridge", id: 7 });
    assert.equal(body.meta.billed_units.search_units, 1);
    assert.equal(body.usage.total_tokens, 21);
  });
}

test("documents come back only when asked for", async () => {
  const body = await (await handler()(post("/rerank", asked))).json();
  assert.ok(body.results.every((result) => !("document" in result)));
});

test("a body with texts is answered as Text Embeddings Inference does", async () => {
  const body = await (await handler()(post("/rerank", { query: "bridge", texts: ["pool", "bridge"], return_text: true, raw_scores: true }))).json();
  assert.deepEqual(body, [{ index: 1, score: 1, text: "bridge" }, { index: 0, score: 0, text: "pool" }]);
});

test("options of the request reach the reranker", async () => {
  let seen;
  const answer = createHandler({ reranker: reranker(async ({ options }) => { seen = options; }) });
  await answer(post("/rerank", { ...asked, max_tokens_per_doc: 90, window: 64, overlap: 16, raw_scores: true }));
  const { signal, onProgress, ...rest } = seen;
  assert.deepEqual(rest, { returnDocuments: false, rawScores: true, maxTokensPerDocument: 90, window: 64, overlap: 16 });
  assert.ok(signal instanceof AbortSignal && typeof onProgress === "function");
});

const wrong = [
  ["", /JSON/], ["{", /JSON/], ["[]", /object/], ["null", /object/], ["7", /object/], ['{"documents": ["a"]}', /query: expected a string, found nothing/],
  ['{"query": 3, "documents": []}', /query/], ['{"query": "q"}', /documents: expected a list/], ['{"query": "q", "documents": [3]}', /documents\[0\]/],
  ['{"query": "q", "documents": [{"text": 3}]}', /documents\[0\]/], ['{"query": "q", "texts": [{}]}', /texts\[0\]/],
  ['{"query": "q", "documents": [], "top_n": 0}', /top_n/], ['{"query": "q", "documents": [], "top_n": 1.5}', /top_n/],
  ['{"query": "q", "documents": [], "return_documents": "yes"}', /return_documents/],
];
for (const [body, message] of wrong) {
  test(`${body || "an empty body"} is invalid_argument`, async () => refused(await handler()(post("/rerank", body)), 400, "invalid_argument", message));
}

test("ten thousand malformed bodies are each refused and none throws", async () => {
  const answer = handler();
  const whole = JSON.stringify({ ...asked, top_n: 2 });
  let state = 7;
  const random = (below) => { state = (state * 1103515245 + 12345) % 2 ** 31; return state % below; };
  let refusals = 0;
  for (let round = 0; round < 10_000; round += 1) {
    const at = random(whole.length);
    const body = random(2) ? whole.slice(0, at) : whole.slice(0, at) + String.fromCharCode(random(300)) + whole.slice(at + 1 + random(4));
    const { status } = await answer(post("/rerank", body));
    assert.ok(status === 200 || status === 400, `${status} for ${body}`);
    refusals += status === 400 ? 1 : 0;
  }
  assert.ok(refusals > 5000, `${refusals}`);
});

test("a body that is too large is refused, announced or not, and bytes that are not UTF-8 as well", async () => {
  const answer = handler({ limits: { bodyBytes: 100 } });
  await refused(await answer(post("/rerank", "x".repeat(101), { "content-length": "101" })), 413, "too_large");
  let pulled = 0;
  const endless = new ReadableStream({ pull: (controller) => { pulled += 1; controller.enqueue(new Uint8Array(60)); } });
  await refused(await answer(post("/rerank", "", {}, { body: endless, duplex: "half" })), 413, "too_large");
  assert.ok(pulled < 10, `${pulled} pieces were read`);
  await refused(await answer(post("/rerank", "", {}, { body: new Uint8Array([0xff, 0xfe]) })), 400, "invalid_argument", /UTF-8/);
});

test("too many documents are refused by name", async () =>
  refused(await handler({ limits: { documents: 2 } })(post("/rerank", asked)), 413, "too_large", /documents: expected at most 2, found 3/));

test("unknown paths and methods are told what there is", async () => {
  await refused(await handler()(get("/nothing")), 404, "not_found", /\/v2\/rerank/);
  const response = await handler()(get("/rerank"));
  assert.equal(response.headers.get("allow"), "POST, OPTIONS");
  await refused(response, 405, "method_not_allowed");
});

test("a token is asked for where tokens are set, except for health", async () => {
  const answer = handler({ auth: ["first", "second"] });
  await refused(await answer(post("/rerank", asked)), 401, "unauthorized");
  for (const token of ["", "secon", "seconds", "SECOND"]) await refused(await answer(post("/rerank", asked, { authorization: `Bearer ${token}` })), 401, "unauthorized");
  assert.equal((await answer(post("/rerank", asked, { authorization: "Bearer second" }))).status, 200);
  assert.equal((await answer(get("/health"))).status, 200);
  const own = handler({ auth: async (request) => request.headers.get("x-key") === "k" });
  assert.equal((await own(get("/v1/models", { "x-key": "k" }))).status, 200);
  await refused(await own(get("/v1/models")), 401, "unauthorized");
});

test("pages of the listed origins may call, others get no permission", async () => {
  const answer = handler({ origins: ["https://app.example"] });
  const preflight = (origin) => answer(new Request(`${BASE}/rerank`, { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST" } }));
  const allowed = await preflight("https://app.example");
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get("access-control-allow-origin"), "https://app.example");
  assert.match(allowed.headers.get("access-control-allow-headers"), /authorization/);
  assert.equal((await preflight("https://evil.example")).headers.get("access-control-allow-origin"), null);
  // An error must be readable by the page too.
  const error = await answer(post("/rerank", "{", { origin: "https://app.example" }));
  assert.equal(error.headers.get("access-control-allow-origin"), "https://app.example");
});

test("a request id is kept when it is a decent one, and made otherwise", async () => {
  const id = async (given) => (await handler()(get("/health", given === undefined ? {} : { "x-request-id": given }))).headers.get("x-request-id");
  assert.equal(await id("abc-1.2"), "abc-1.2");
  for (const given of [undefined, "a b", "x".repeat(200)]) assert.match(await id(given), /^[\da-f-]{36}$/);
});

/** Requests that wait until the test lets them go. */
function held() {
  let release;
  const gate = new Promise((resolve) => { release = resolve; });
  return { release, behave: ({ options: { signal } }) => new Promise((resolve, reject) => {
    gate.then(resolve);
    signal.addEventListener("abort", () => reject(new RerankError("aborted", "the request was aborted")));
  }) };
}

test("more requests than may wait are answered 429 with Retry-After, and the others are answered in turn", async () => {
  const { release, behave } = held();
  const answer = createHandler({ reranker: reranker(behave), limits: { concurrency: 1, queue: 1 } });
  const first = answer(post("/rerank", asked));
  const second = answer(post("/rerank", asked));
  await new Promise((resolve) => setTimeout(resolve, 20));
  const third = await answer(post("/rerank", asked));
  assert.ok(Number(third.headers.get("retry-after")) >= 1);
  await refused(third, 429, "busy");
  release();
  assert.deepEqual((await Promise.all([first, second])).map(({ status }) => status), [200, 200]);
  assert.equal((await answer(post("/rerank", asked))).status, 200);
});

test("a request that takes too long is 504, waiting included, and makes room", async () => {
  const { behave } = held();
  let calls = 0;
  const answer = createHandler({ reranker: reranker(async (call) => { calls += 1; if (calls === 1) await behave(call); }), limits: { timeoutMs: 60, queue: 1 } });
  const [first, second] = await Promise.all([answer(post("/rerank", asked)), answer(post("/rerank", asked))]);
  await refused(first, 504, "timeout", /60 ms/);
  assert.ok([200, 504].includes(second.status));
  assert.equal((await answer(post("/rerank", asked))).status, 200);
});

test("a client that goes ends its work", async () => {
  const { behave } = held();
  const answer = createHandler({ reranker: reranker(behave) });
  const controller = new AbortController();
  const response = answer(post("/rerank", asked, {}, { signal: controller.signal }));
  setTimeout(() => controller.abort(), 20);
  await refused(await response, 499, "aborted");
});

test("a body that stalls ends with the time limit", async () => {
  const stalled = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('{"query":')) });
  await refused(await handler({ limits: { timeoutMs: 50 } })(post("/rerank", "", {}, { body: stalled, duplex: "half" })), 504, "timeout");
});

test("an event stream brings progress and then the result or the error", async () => {
  const events = async (response) => (await response.text()).trim().split("\n\n").map((block) => {
    const [, event, data] = /^event: (\w+)\ndata: (.*)$/s.exec(block);
    return [event, JSON.parse(data)];
  });
  const stream = { accept: "text/event-stream" };
  const progress = { type: "batch", batch: 1, batches: 2, tokens: 10, totalTokens: 20, threads: 1 };
  const answer = createHandler({ reranker: reranker(async ({ options }) => options.onProgress(progress)) });
  const [first, last] = await events(await answer(post("/rerank", asked, stream)));
  assert.deepEqual(first, ["progress", progress]);
  assert.equal(last[0], "result");
  assert.equal(last[1].results[0].index, 1);
  const [[event, body]] = await events(await answer(post("/rerank", "{", stream)));
  assert.deepEqual([event, body.error.code], ["error", "invalid_argument"]);
});

test("a client that leaves an event stream ends its work", async () => {
  const { behave } = held();
  let ended;
  const over = new Promise((resolve) => { ended = resolve; });
  const answer = createHandler({ reranker: reranker((call) => behave(call).catch((error) => { ended(error.code); throw error; })) });
  const response = await answer(post("/rerank", asked, { accept: "text/event-stream" }));
  await new Promise((resolve) => setTimeout(resolve, 20));
  await response.body.cancel();
  assert.equal(await over, "aborted");
});

test("vectors come in OpenAI's shape, as numbers or in base64, where there is an embedder", async () => {
  const embedder = {
    info: { model: "vectors", maxLength: 256, licence: "MIT" },
    embed: async (texts) => ({ vectors: Float32Array.from(texts.flatMap((text) => [text.length, -0.5])), dimensions: 2, usage: { tokens: 9 } }),
  };
  const answer = handler({ embedder: async () => embedder });
  const body = await (await answer(post("/v1/embeddings", { input: ["abc", "de"], model: "any" }))).json();
  assert.deepEqual(body.data.map(({ index, embedding }) => [index, embedding]), [[0, [3, -0.5]], [1, [2, -0.5]]]);
  assert.deepEqual([body.model, body.usage.total_tokens], ["vectors", 9]);
  const [{ embedding }] = (await (await answer(post("/v1/embeddings", { input: "abc", encoding_format: "base64" }))).json()).data;
  assert.deepEqual([...new Float32Array(Uint8Array.from(Buffer.from(embedding, "base64")).buffer)], [3, -0.5]);
  await refused(await answer(post("/v1/embeddings", { input: [3] })), 400, "invalid_argument", /input\[0\]/);
  await refused(await answer(post("/v1/embeddings", { input: "a", encoding_format: "int8" })), 400, "invalid_argument", /encoding_format/);
  await refused(await handler()(post("/v1/embeddings", { input: "a" })), 404, "not_found", /embedder/);
  const late = { ...embedder, embed: async (texts) => ({ ...await embedder.embed(texts), lengths: Uint32Array.of(3) }) };
  await refused(await handler({ embedder: async () => late })(post("/v1/embeddings", { input: "a" })), 404, "not_found", /a bi-encoder/);
});

test("errors of the library keep their codes, and what is not ours is not told", async () => {
  const heard = [];
  const failing = (error) => createHandler({ reranker: reranker(async () => { throw error; }), onError: (told) => heard.push(told.message) })(post("/rerank", asked));
  await refused(await failing(new RerankError("device_lost", "gone")), 503, "device_lost", /gone/);
  await refused(await failing(new RerankError("internal", "NaN for document 3")), 500, "internal", /NaN/);
  await refused(await failing(new Error("secret path")), 500, "internal", /^the request could not be answered$/);
  assert.deepEqual(heard, ["gone", "NaN for document 3", "secret path"]);
});

test("a model that could not be loaded is tried again by the next request", async () => {
  const answer = createHandler({ model: "http://127.0.0.1:1/none/", device: "cpu", onError: () => undefined });
  for (let round = 0; round < 2; round += 1) await refused(await answer(post("/rerank", asked)), 503, "download");
});

test("the OpenAPI file has the routes of a handler that has everything and no others, and its references lead somewhere", async () => {
  const llm = { baseUrl: "http://127.0.0.1:1/v1", models: ["m"] };
  const handler = () => createHandler({ reranker: reranker(), onError: () => undefined, auth: () => true, llm });
  const text = readFileSync(new URL("../edge/openapi.json", import.meta.url), "utf8");
  const api = JSON.parse(text);
  const { message } = await (await handler()(get("/nothing"))).json();
  const routes = message.slice(message.indexOf("there is /") + "there is ".length).split("there is ").at(-1).split(", ");
  assert.deepEqual(Object.keys(api.paths).sort(), routes.sort());
  for (const [path, operations] of Object.entries(api.paths)) {
    const [method] = Object.keys(operations);
    assert.notEqual((await handler()(new Request(BASE + path, { method: method.toUpperCase() }))).status, 405, path);
  }
  const references = [...text.matchAll(/"\$ref": "#\/([^"]+)"/g)].map(([, path]) => path);
  assert.ok(references.length > 10);
  for (const path of references) assert.ok(path.split("/").reduce((found, key) => found?.[key], api), path);
});

test("limits out of range are refused at once", () => {
  for (const limits of [{ documents: 0 }, { queue: -1 }, { timeoutMs: 1.5 }]) {
    assert.throws(() => createHandler({ reranker: reranker(), limits }), ({ code }) => code === "invalid_argument");
  }
});

test("metrics count by route and status, and never by what a client wrote", async () => {
  const answer = handler();
  await answer(post("/rerank", asked));
  await answer(post("/rerank", "{"));
  await answer(get('/"evil'));
  const text = await (await answer(get("/metrics"))).text();
  assert.match(text, /foliorank_requests_total\{route="\/rerank",status="200"\} 1\n/);
  assert.match(text, /foliorank_requests_total\{route="\/rerank",status="400"\} 1\n/);
  assert.match(text, /foliorank_requests_total\{route="other",status="404"\} 1\n/);
  assert.match(text, /foliorank_request_seconds_bucket\{route="\/rerank",le="\+Inf"\} 2\n/);
  assert.match(text, /foliorank_documents_total 3\nfoliorank_working|foliorank_documents_total 3\n/);
  assert.match(text, /foliorank_tokens_total 21\n/);
  assert.doesNotMatch(text, /evil/);
});
