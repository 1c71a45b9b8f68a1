// The rerank clients of PyPI, pointed at the native server: they rank as a plain request does.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { foliorank, root, start, tiny } from "./host.mjs";

// xtask makes the environment, of requirements.txt.
const python = process.env.FOLIORANK_CLIENTS ?? join(homedir(), ".cache/foliorank/clients/venv/bin/python");
const request = {
  query: "good bridge",
  documents: ["Berlin is well known for its museums.", "The old stone bridge over the river was made in a long winter.", "A pool.", "", "Brücke 🦀 城市 ".repeat(60)],
};

test("the Python clients of Cohere and rerankers rank as a plain request does", { timeout: 120_000 }, async (t) => {
  const { url } = await start(t, foliorank, ["serve", "--port", "0", "--model", tiny], { cwd: root, env: { FOLIORANK_TOKENS: "one" } });
  const plain = async (more = {}) => {
    const headers = { authorization: "Bearer one" };
    const { results } = await (await fetch(`${url}/v2/rerank`, { method: "POST", headers, body: JSON.stringify({ ...request, ...more }) })).json();
    return results.map(({ index, relevance_score }) => [index, relevance_score]);
  };
  const ranking = await plain();
  assert.equal(ranking.length, 5);
  const answers = JSON.parse(execFileSync(python, [join(root, "tests/edge/clients.py"), url, "one"], { input: JSON.stringify(request), encoding: "utf8", timeout: 60_000 }));
  const { refused, "cohere v2, the best two": best, ...all } = answers;
  assert.equal(refused, "unauthorized");
  assert.deepEqual(best, await plain({ top_n: 2, max_tokens_per_doc: 64 }));
  assert.deepEqual(Object.keys(all), ["cohere v2", "cohere v1", "rerankers, cohere", "rerankers, jina", "rerankers, TEI"]);
  for (const [client, found] of Object.entries(all)) assert.deepEqual(found, ranking, client);
});
