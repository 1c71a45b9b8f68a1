// The template for Cloudflare Workers on workerd: bundled as wrangler does it, the cpu variant as a precompiled module, the model in R2.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { root, speak, template, tiny } from "./host.mjs";

const dist = join(root, "www/dist");

/** The template in workerd, with a model in its bucket. */
async function worker(t, model, folder) {
  const cwd = template(t, "cloudflare");
  const { outputFiles: [bundle] } = await build({
    absWorkingDir: cwd, entryPoints: ["worker.mjs"], bundle: true, format: "esm", target: "es2022", write: false, logLevel: "silent", preserveSymlinks: true,
    conditions: ["workerd"], plugins: [{ name: "module", setup: ({ onResolve }) => onResolve({ filter: /\.wasm$/ }, () => ({ path: "./foliorank_bg.wasm", external: true })) }],
  });
  const flare = new Miniflare({
    compatibilityDate: "2026-04-01", modulesRoot: "/",
    modules: [
      { type: "ESModule", path: "/worker.mjs", contents: bundle.text },
      { type: "CompiledWasm", path: "/foliorank_bg.wasm", contents: readFileSync(join(dist, "wasm/cpu/foliorank_bg.wasm")) },
    ],
    bindings: { MODEL: model }, r2Buckets: ["MODELS"], host: "127.0.0.1", port: 0,
  });
  t.after(() => flare.dispose());
  const bucket = await flare.getR2Bucket("MODELS");
  const { tokenizer, weights } = JSON.parse(readFileSync(join(folder, "model.json"), "utf8")).files;
  for (const name of ["model.json", tokenizer.path, weights.path]) await bucket.put(`${model}/${name}`, Uint8Array.from(readFileSync(join(folder, name))).buffer);
  return { flare, bundle, url: (await flare.ready).origin };
}

test("workerd serves what clients ask for, from a bundle and a precompiled module", { timeout: 180_000 }, async (t) => {
  const { bundle, url } = await worker(t, "tiny-cross-encoder", tiny);
  const { health } = await speak(fetch, url);
  assert.equal(health.device, "cpu");
  assert.ok(bundle.contents.length < 300_000, `${bundle.contents.length} bytes of script`);
});
