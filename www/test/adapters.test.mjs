// The adapters inside the real libraries, over a reranker that scores by how often a document has the query.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const www = join(dirname(fileURLToPath(import.meta.url)), "..");
const folder = mkdtempSync(join(tmpdir(), "foliorank-adapters-"));
after(() => rmSync(folder, { recursive: true, force: true }));
symlinkSync(join(www, "node_modules"), join(folder, "node_modules"));
const names = ["hits", "ai", "langchain", "llamaindex", "orama"];
await build({
  absWorkingDir: www, entryPoints: names.map((name) => `adapters/${name}.ts`), outdir: folder, outExtension: { ".js": ".mjs" },
  bundle: true, format: "esm", target: "es2022", packages: "external", logLevel: "silent",
});
const [{ rerankHits }, { rerankingModel }, { FoliorankRerank }, { FoliorankPostprocessor }, { rerankPlugin }] =
  await Promise.all(names.map((name) => import(pathToFileURL(join(folder, `${name}.mjs`)).href)));

const count = (text, word) => text.split(word).length - 1;
function fake() {
  const calls = [];
  return {
    calls, info: { model: "fake" },
    async rerank(query, documents, options = {}) {
      calls.push({ query, documents, options });
      options.signal?.throwIfAborted();
      const results = documents.map((text, index) => ({ index, relevanceScore: count(text, query) / 10 }))
        .sort((a, b) => b.relevanceScore - a.relevanceScore || a.index - b.index).slice(0, options.topN);
      return { results };
    },
  };
}
const texts = ["a pool", "bridge, bridge and bridge", "one bridge"];

for (const [version, name] of [["v4", "ai-7"], ["v3", "ai"]]) {
  test(`rerank() of the AI SDK takes the ${version} model`, async () => {
    const { rerank } = await import(name);
    const reranker = fake();
    const model = rerankingModel(reranker, { specificationVersion: version, rerank: { window: 64 } });
    const signal = AbortSignal.timeout(60_000);
    const answer = await rerank({ model, documents: texts, query: "bridge", topN: 2, abortSignal: signal });
    assert.deepEqual(answer.ranking.map(({ originalIndex, score }) => [originalIndex, score]), [[1, 0.3], [2, 0.1]]);
    assert.deepEqual(answer.rerankedDocuments, [texts[1], texts[2]]);
    const [{ options }] = reranker.calls;
    assert.deepEqual([options.topN, options.window], [2, 64]);
    assert.ok(options.signal instanceof AbortSignal);
    const objects = await rerank({ model, documents: [{ text: texts[0] }, { title: "bridge" }], query: "bridge" });
    assert.deepEqual(objects.ranking.map(({ originalIndex }) => originalIndex), [1, 0]);
    assert.deepEqual(reranker.calls.at(-1).documents, [texts[0], '{"title":"bridge"}']);
    const aborted = AbortSignal.abort();
    await assert.rejects(rerank({ model, documents: texts, query: "bridge", abortSignal: aborted, maxRetries: 0 }));
  });
}

test("a ContextualCompressionRetriever of LangChain.js keeps documents and metadata, best first", async () => {
  const { ContextualCompressionRetriever } = await import("@langchain/classic/retrievers/contextual_compression");
  const { BaseRetriever } = await import("@langchain/core/retrievers");
  const { Document } = await import("@langchain/core/documents");
  class Given extends BaseRetriever {
    lc_namespace = ["test"];
    async _getRelevantDocuments() {
      return texts.map((pageContent, page) => new Document({ pageContent, metadata: { page } }));
    }
  }
  const reranker = fake();
  const retrieve = (options) => new ContextualCompressionRetriever({ baseCompressor: new FoliorankRerank({ reranker, ...options }), baseRetriever: new Given() }).invoke("bridge");
  const found = await retrieve({});
  assert.deepEqual(found.map(({ pageContent, metadata }) => [pageContent, metadata]), [
    [texts[1], { page: 1, relevanceScore: 0.3 }], [texts[2], { page: 2, relevanceScore: 0.1 }], [texts[0], { page: 0, relevanceScore: 0 }],
  ]);
  assert.deepEqual((await retrieve({ minScore: 0.1 })).map(({ metadata }) => metadata.page), [1, 2]);
  assert.deepEqual((await retrieve({ topN: 1 })).map(({ metadata }) => metadata.page), [1]);
});

test("a query engine of LlamaIndex.TS gets its nodes best first, and without a question as they are", async () => {
  const { TextNode } = await import("@llamaindex/core/schema");
  const reranker = fake();
  const postprocessor = new FoliorankPostprocessor({ reranker, topN: 2 });
  const nodes = texts.map((text, index) => ({ node: new TextNode({ text, id_: `n${index}`, metadata: { title: "bridge bridge" } }), score: 0.5 }));
  const found = await postprocessor.postprocessNodes(nodes, [{ type: "text", text: "bridge" }]);
  assert.deepEqual(found.map(({ node, score }) => [node.id_, score]), [["n1", 0.3], ["n2", 0.1]]);
  assert.deepEqual(reranker.calls[0].documents, texts);
  assert.equal(await postprocessor.postprocessNodes(nodes), nodes);
  assert.equal(await postprocessor.postprocessNodes(nodes, [{ type: "image_url", image_url: { url: "x" } }]), nodes);
});

test("a search of Orama is reranked, the hits behind `top` stay behind, and a search without a term is left alone", async () => {
  const { create, insert, search } = await import("@orama/orama");
  const reranker = fake();
  const db = create({ schema: { id: "string", body: "string" }, plugins: [rerankPlugin({ reranker, text: "body", top: 2 })] });
  for (const [id, body] of [["a", "bridge"], ["b", "a bridge near the other bridge of the town and a bridge"], ["c", "the bridge in the long and winding road to the town of all towns"]]) await insert(db, { id, body });
  const plain = create({ schema: { id: "string", body: "string" } });
  for (const { document } of (await search(db, { term: "" })).hits) await insert(plain, document);
  assert.equal(reranker.calls.length, 0);
  const before = (await search(plain, { term: "bridge" })).hits.map(({ document }) => document.id);
  const { hits } = await search(db, { term: "bridge" });
  const bodies = Object.fromEntries(hits.map(({ document }) => [document.id, document.body]));
  const [first, second, last] = before;
  const expected = [first, second].sort((x, y) => count(bodies[y], "bridge") - count(bodies[x], "bridge"));
  assert.deepEqual(hits.map(({ document }) => document.id), [...expected, last]);
  assert.equal(hits[0].score, count(bodies[expected[0]], "bridge") / 10);
});

test("hits of MiniSearch come back as they are, with their old place and the first stage's scores handed on", async () => {
  const { default: MiniSearch } = await import("minisearch");
  const search = new MiniSearch({ fields: ["body"], storeFields: ["body"] });
  search.addAll(texts.map((body, id) => ({ id, body })));
  const hits = search.search("bridge");
  const reranker = fake();
  const ranked = await rerankHits("bridge", hits, { reranker, text: "body", firstStage: ({ score }) => score, fuse: "rrf", topN: 1 });
  assert.equal(ranked.length, 1);
  assert.equal(ranked[0].hit, hits[ranked[0].index]);
  assert.equal(ranked[0].hit.id, 1);
  const [{ options }] = reranker.calls;
  assert.deepEqual([options.firstStage, options.fuse], [hits.map(({ score }) => score), "rrf"]);
});

test("an error of the reranker reaches the caller as it is", async () => {
  const failing = { info: { model: "m" }, rerank: async () => { throw Object.assign(new Error("gone"), { code: "device_lost" }); } };
  await assert.rejects(rerankHits("q", [{ text: "a" }], { reranker: failing, text: "text" }), ({ code }) => code === "device_lost");
});
