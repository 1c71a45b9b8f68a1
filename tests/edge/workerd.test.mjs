// The template for Cloudflare Workers on workerd, and what the default model takes of the memory and the sizes that Cloudflare allows.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { modelCache, speak, tiny } from "./host.mjs";
import { resident, worker } from "./workerd.mjs";

const real = join(modelCache, "ms-marco-minilm-l12-v2");

test("workerd serves what clients ask for, from a bundle and a precompiled module", { timeout: 180_000 }, async (t) => {
  const { bundle, url } = await worker(t, tiny);
  const { health } = await speak(fetch, url);
  assert.equal(health.device, "cpu");
  assert.ok(bundle.contents.length < 300_000, `${bundle.contents.length} bytes of script`);
});

test("workerd with the default model in assets of the size they may have keeps within 128 MB", { timeout: 600_000 }, async (t) => {
  const { cwd, url } = await worker(t, real, { assets: true });
  const folder = join(cwd, "assets", basename(real));
  for (const name of readdirSync(folder)) assert.ok(statSync(join(folder, name)).size <= 25 * 2 ** 20, name);
  const taken = async () => Number(await (await fetch(`${url}/taken`)).text());
  const before = resident();
  assert.equal((await (await fetch(`${url}/health`)).json()).model, basename(real));
  const loaded = await taken();
  const atLoad = resident();
  // Long and short: the largest fill the model's 512 tokens.
  const documents = Array.from({ length: 100 }, (_, index) => `${index} the old stone bridge over the river was made in a long winter `.repeat(index % 25 === 0 ? 37 : 1 + (index % 5)));
  const answer = await (await fetch(`${url}/v2/rerank`, { method: "POST", body: JSON.stringify({ query: "who paid for the bridge", documents }) })).json();
  assert.equal(answer.results?.length, 100, JSON.stringify(answer));
  const worked = await taken();
  const { tokenizer, weights } = JSON.parse(readFileSync(join(real, "model.json"), "utf8")).files;
  // Deterministic, and all that is large: WASM, and while it loads the files beside it.
  const files = tokenizer.bytes + weights.bytes;
  const mb = (bytes) => (bytes / 1e6).toFixed(1);
  t.diagnostic(`WASM ${mb(loaded)} MB loaded and ${mb(worked)} MB after 100 documents, files ${mb(files)} MB while loading; workerd grew by ${mb(atLoad - before)} MB, and to ${mb(resident() - before)} MB more than at the start`);
  assert.ok(loaded + files < 110e6, `${mb(loaded + files)} MB while loading`);
  assert.ok(worked < 100e6, `${mb(worked)} MB after 100 documents`);
});
