// `foliorank serve`: the contract of every host, then the very answers of the JavaScript handler on the same model.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createHandler } from "../../www/dist/edge.js";
import { Embedder, Reranker } from "../../www/dist/main-thread.js";
import { foliorank, root, speak, start, tiny } from "./host.mjs";

const bi = join(root, "models/tiny-bi-encoder");
const serve = (t, args = [], env = {}) => start(t, foliorank, ["serve", "--port", "0", "--model", tiny, ...args], { cwd: root, env });
const origin = "https://app.example";

test("the native server serves what clients ask for, and ends when told to", { timeout: 120_000 }, async (t) => {
  const { url, child, ended } = await serve(t);
  const { health } = await speak(fetch, url);
  assert.equal(health.device, "cpu");
  child.kill("SIGTERM");
  assert.deepEqual(await ended, { code: 0, signal: null });
});

test("the default model is the one of the cache", { timeout: 120_000 }, async (t) => {
  const { url } = await start(t, foliorank, ["serve", "--port", "0"], { cwd: root });
  const documents = ["Berlin is well known for its museums.", "Berlin has a population of 3,520,031 registered inhabitants in an area of 891.82 square kilometers."];
  const response = await fetch(`${url}/v2/rerank`, { method: "POST", body: JSON.stringify({ query: "How many people live in Berlin?", documents }) });
  const { model, results } = await response.json();
  assert.equal(model, "ms-marco-minilm-l12-v2");
  assert.deepEqual(results.map(({ index, relevance_score }) => [index, relevance_score.toFixed(2)]), [[1, "1.00"], [0, "0.02"]]);
});

/** The JavaScript handler over the same files, by the WASM of the cpu variant. */
async function handlerInJavaScript() {
  const wasm = join(root, "www/dist/wasm/cpu");
  const glue = await import(join(wasm, "foliorank.js"));
  const module = await WebAssembly.compile(readFileSync(join(wasm, "foliorank_bg.wasm")));
  const files = (folder) => ({
    manifest: readFileSync(join(folder, "model.json"), "utf8"), tokenizer: readFileSync(join(folder, "tokenizer.json")), weights: readFileSync(join(folder, "model.safetensors")),
  });
  const load = (Model, folder) => Model.load({ wasm: { glue, module, variant: "cpu" }, files: files(folder) });
  const [reranker, embedder] = [await load(Reranker, tiny), await load(Embedder, bi)];
  return createHandler({ reranker, embedder, auth: ["one", "two"], origins: [origin], limits: { documents: 30, bodyBytes: 20_000 }, onError: () => undefined });
}

const texts = Array.from({ length: 25 }, (_, count) => Array.from({ length: 8 * count }, (_, at) => ["river", "Straße", "🦀 stone", "城市", "winter", "bridge", "café,"][(at * 5 + count) % 7]).join(" "));
const asked = { query: "stone bridge in winter", documents: texts };
const bearer = { authorization: "Bearer two" };
const post = (path, body, headers = bearer) => ({ method: "POST", path, headers: { "content-type": "application/json", ...headers }, body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body) });
const get = (path, headers = bearer) => ({ method: "GET", path, headers });
const questions = {
  "a ranking of long and short documents": post("/v2/rerank", asked),
  "a path with a slash behind it": post("/v1/rerank/", asked),
  "the best, with their documents": post("/rerank", { ...asked, top_n: 3, return_documents: true, documents: [...texts, { text: "🦀 a bridge", id: 7, more: { deep: [1, "é"] } }] }),
  "raw scores of short windows": post("/rerank", { ...asked, raw_scores: true, window: 24, overlap: 8, max_tokens_per_doc: 90 }),
  "a window alone": post("/rerank", { ...asked, window: 20 }),
  "nulls, and numbers that are whole": post("/rerank", '{"query":"bridge","documents":["a","b"],"top_n":1.0,"window":null,"return_documents":null,"model":null}'),
  "texts, as Text Embeddings Inference has them": post("/rerank", { query: "bridge", texts, return_text: true, raw_scores: true, truncate: true }),
  "texts without their text": post("/v2/rerank", { query: "bridge", texts }),
  "an empty query": post("/rerank", { query: " ", documents: ["a"] }),
  "no documents": post("/rerank", { query: "a", documents: [] }),
  "an empty document": post("/rerank", { query: "a", documents: ["", "\u0000"] }),
  "vectors": post("/v1/embeddings", { input: texts.slice(0, 9), model: "any" }),
  "one vector": post("/v1/embeddings", { input: "bridge", encoding_format: "float" }),
  "no vectors": post("/v1/embeddings", { input: [] }),
  "health": get("/health", {}),
  "models": get("/v1/models"),
  "a page that may call": post("/rerank", { query: "a", documents: ["b"] }, { ...bearer, origin }),
  "a page that may not": post("/rerank", { query: "a", documents: ["b"] }, { ...bearer, origin: "https://evil.example" }),
  "a page's mistake": post("/rerank", "{", { ...bearer, origin }),
  "a preflight": { method: "OPTIONS", path: "/rerank", headers: { origin, "access-control-request-method": "POST" } },
  "a preflight of another page": { method: "OPTIONS", path: "/nothing", headers: { origin: "https://evil.example" } },
  "no token": post("/rerank", asked, {}),
  "half a token": post("/rerank", asked, { authorization: "Bearer tw" }),
  "a token and more": post("/rerank", asked, { authorization: "Bearer twotwo" }),
  "a scheme in other letters": get("/v1/models", { authorization: "bearer one" }),
  "metrics without a token": get("/metrics", {}),
  "an unknown path": get("/nothing"),
  "the root": get("/"),
  "a wrong method": get("/rerank/"),
  "another wrong method": post("/health", {}),
  "too many documents": post("/rerank", { query: "a", documents: Array(31).fill("b") }),
  "too many texts": post("/rerank", { query: "a", texts: Array(31).fill("b") }),
  "too long a body": post("/rerank", { query: "a", documents: ["b".repeat(20_000)] }),
  "bytes that are not UTF-8": post("/rerank", new Uint8Array([0x7b, 0xff, 0xfe])),
  "a byte order mark": post("/rerank", '\ufeff{"query":"a","documents":["b"]}'),
  "values as deep as they may be": post("/rerank", `{"query":"a","documents":${"[".repeat(126)}${"]".repeat(126)}}`),
  "values deeper than that": post("/rerank", `{"query":"a","documents":${"[".repeat(127)}${"]".repeat(127)}}`),
  "a window too short": post("/rerank", { ...asked, window: 4 }),
  ...Object.fromEntries([
    "", "{", "[]", "null", "7", '"text"', '{"documents": ["a"]}', '{"query": 3, "documents": []}', '{"query": "q"}', '{"query": "q", "documents": [3]}', '{"query": "q", "documents": {}}',
    '{"query": "q", "documents": [{"text": 3}]}', '{"query": "q", "texts": [{}]}', '{"query": "q", "texts": null}', '{"query": "q", "documents": [], "top_n": 0}',
    '{"query": "q", "documents": [], "top_n": 1.5}', '{"query": "q", "documents": [], "top_n": "1"}', '{"query": "q", "documents": [], "overlap": -1}',
    '{"query": "q", "documents": [], "return_documents": "yes"}', `{"query": "q", "documents": [["${"long ".repeat(30)}"]]}`,
  ].map((body) => [`the body ${body.slice(0, 60)}`, post("/rerank", body)])),
  ...Object.fromEntries(['{"input": [3]}', "{}", '{"input": "a", "encoding_format": "int8"}', '{"input": {"a": 1}}'].map((body) => [`the embeddings body ${body}`, post("/v1/embeddings", body)])),
};
const COMPARED = ["content-type", "x-request-id", "allow", "www-authenticate", "vary", "access-control-allow-origin", "access-control-expose-headers", "access-control-allow-methods", "access-control-allow-headers", "access-control-max-age"];

/** Equal but for numbers that are no integers, which are computed: those within `tolerance`. */
function assertAlike(found, expected, tolerance, path = "answer") {
  if (typeof expected === "number" && typeof found === "number" && !Number.isInteger(expected)) {
    assert.ok(Math.abs(found - expected) <= tolerance, `${path}: ${found} is not ${expected}`);
  } else if (typeof expected === "object" && expected !== null && typeof found === "object" && found !== null) {
    assert.deepEqual(Object.keys(found).sort(), Object.keys(expected).sort(), path);
    for (const key of Object.keys(expected)) assertAlike(found[key], expected[key], tolerance, `${path}.${key}`);
  } else assert.deepEqual(found, expected, path);
}

test("the native server answers as the JavaScript handler does", { timeout: 300_000 }, async (t) => {
  const handler = await handlerInJavaScript();
  const { url } = await serve(t, ["--embedder", bi, "--origin", origin, "--documents", "30", "--body-bytes", "20000"], { FOLIORANK_TOKENS: "one,two" });
  for (const [name, { method, path, headers, body }] of Object.entries(questions)) {
    await t.test(name, async () => {
      const init = { method, headers: { ...headers, "x-request-id": "same-1" }, ...(body === undefined ? {} : { body }) };
      const [found, expected] = await Promise.all([fetch(url + path, init), handler(new Request(`http://host${path}`, init))]);
      assert.equal(found.status, expected.status);
      const shown = ({ headers }) => Object.fromEntries(COMPARED.map((header) => [header, headers.get(header)]));
      assert.deepEqual(shown(found), shown(expected));
      const [foundText, expectedText] = await Promise.all([found.text(), expected.text()]);
      if (expectedText === "") return assert.equal(foundText, "");
      // The parsers complain in their own words.
      const read = (text) => JSON.parse(text.replaceAll(/the body must be JSON: (?:[^"\\]|\\.)*/g, "the body must be JSON"));
      return assertAlike(read(foundText), read(expectedText), 2e-5);
    });
  }
});
