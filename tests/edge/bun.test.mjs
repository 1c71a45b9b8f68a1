// The template for Bun, on the `bun` of npm.
import assert from "node:assert/strict";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { endure, speak, start, template, tiny } from "./host.mjs";

const bun = join(dirname(fileURLToPath(import.meta.url)), "node_modules/.bin/bun");
const models = process.env.FOLIORANK_MODELS ?? join(process.env.FOLIORANK_CACHE ?? process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "foliorank/models");

test("Bun serves what clients ask for, and ends when told to", { timeout: 120_000 }, async (t) => {
  const { url, child, ended } = await start(t, bun, ["server.mjs"], { cwd: template(t, "bun"), env: { MODEL: tiny } });
  const { health } = await speak(fetch, url);
  assert.equal(health.device, "cpu");
  child.kill("SIGTERM");
  assert.deepEqual(await ended, { code: 0, signal: null });
});

test("Bun asks for a token, refuses a gigabyte before it is sent, and survives half a body", { timeout: 120_000 }, async (t) => {
  const { url } = await start(t, bun, ["server.mjs"], { cwd: template(t, "bun"), env: { MODEL: tiny, TOKENS: "one,two" } });
  await endure(t, url);
});

test("Bun gives the default model's known answers", { timeout: 120_000 }, async (t) => {
  const { url } = await start(t, bun, ["server.mjs"], { cwd: template(t, "bun"), env: { MODEL: join(models, "ms-marco-minilm-l12-v2") } });
  const documents = ["Berlin is well known for its museums.", "Berlin has a population of 3,520,031 registered inhabitants in an area of 891.82 square kilometers."];
  const response = await fetch(`${url}/v2/rerank`, { method: "POST", body: JSON.stringify({ query: "How many people live in Berlin?", documents }) });
  const { model, results } = await response.json();
  assert.equal(model, "ms-marco-minilm-l12-v2");
  assert.deepEqual(results.map(({ index, relevance_score }) => [index, relevance_score.toFixed(2)]), [[1, "1.00"], [0, "0.02"]]);
});
