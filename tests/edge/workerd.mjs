// The Cloudflare template in workerd, for the tests and the measurements: bundled as wrangler does it, the model in R2 or in static assets.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { root, template } from "./host.mjs";

const dist = join(root, "www/dist");
/** The template, and beside it, at /taken, how many bytes WASM has taken. */
const MEASURED = `
  import worker from "./worker.mjs";
  import * as glue from "foliorank/wasm/cpu/foliorank.js";
  import module from "foliorank/wasm/cpu/foliorank_bg.wasm";
  const taken = async () => new Response((await glue.default({ module_or_path: module })).memory.buffer.byteLength);
  export default { fetch: (request, environment) => (new URL(request.url).pathname === "/taken" ? taken() : worker.fetch(request, environment)) };
`;

/** The template in workerd, with a model in its bucket or in its assets. */
export async function worker(t, folder, { assets = false } = {}) {
  const cwd = template(t, "cloudflare");
  const { outputFiles: [bundle] } = await build({
    absWorkingDir: cwd, stdin: { contents: MEASURED, resolveDir: cwd }, bundle: true, format: "esm", target: "es2022", write: false, logLevel: "silent", preserveSymlinks: true,
    conditions: ["workerd"], plugins: [{ name: "module", setup: ({ onResolve }) => onResolve({ filter: /\.wasm$/ }, () => ({ path: "./foliorank_bg.wasm", external: true })) }],
  });
  if (assets) execFileSync(process.execPath, ["parts.mjs", folder], { cwd });
  const model = basename(folder);
  const begun = performance.now();
  const flare = new Miniflare({
    compatibilityDate: "2026-04-01", modulesRoot: "/",
    modules: [
      { type: "ESModule", path: "/worker.mjs", contents: bundle.text },
      { type: "CompiledWasm", path: "/foliorank_bg.wasm", contents: readFileSync(join(dist, "wasm/cpu/foliorank_bg.wasm")) },
    ],
    bindings: { MODEL: model }, host: "127.0.0.1", port: 0,
    ...(assets
      ? { assets: { directory: join(cwd, "assets"), binding: "ASSETS", routerConfig: { invoke_user_worker_ahead_of_assets: true, has_user_worker: true } } }
      : { r2Buckets: ["MODELS"] }),
  });
  t.after(() => flare.dispose());
  if (!assets) {
    const bucket = await flare.getR2Bucket("MODELS");
    const { tokenizer, weights } = JSON.parse(readFileSync(join(folder, "model.json"), "utf8")).files;
    for (const name of ["model.json", tokenizer.path, weights.path]) await bucket.put(`${model}/${name}`, Uint8Array.from(readFileSync(join(folder, name))).buffer);
  }
  return { flare, bundle, cwd, begun, url: (await flare.ready).origin };
}

/** Bytes in memory of the workerd that this process has started. */
export const resident = () => 1024 * execFileSync("ps", ["-o", "rss=,comm=", "--ppid", String(process.pid)], { encoding: "utf8" })
  .split("\n").filter((line) => line.includes("workerd")).reduce((sum, line) => sum + Number.parseInt(line, 10), 0);
