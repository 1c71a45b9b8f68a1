// The package in a Next.js app, from its tarball: built by Turbopack (its default) and served. The hook of foliorank/adapters/react is
// what loads the reranker; on the server it loads nothing. webpack takes a minute, so it has to be asked for:
// `FOLIORANK_BUNDLERS=turbopack,webpack node --test tests/apps/next.test.mjs`.
import assert from "node:assert/strict";
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { build, check, install, serve } from "./app.mjs";

const app = install("next");

for (const bundler of (process.env.FOLIORANK_BUNDLERS ?? "turbopack").split(",")) {
  test(`a build of Next.js by ${bundler} has the package's worker and WASM in it, and ranks in a worker`, { timeout: 600_000 }, async (t) => {
    rmSync(join(app, ".next"), { recursive: true, force: true });
    const begun = performance.now();
    build(app, ["next", "build", `--${bundler}`]);
    t.diagnostic(`built in ${Math.round(performance.now() - begun)} ms`);
    const media = readdirSync(join(app, ".next/static/media"));
    t.diagnostic(media.map((name) => `${name} ${statSync(join(app, ".next/static/media", name)).size}`).join(", "));
    const { page, fetched } = await check(t, await serve(t, app, ["next", "start", "--hostname", "127.0.0.1", "--port", "0"]));
    // What is not needed is not fetched.
    assert.equal(new Set(fetched.filter((path) => path.endsWith(".wasm"))).size, 1);
    assert.ok(page.workers().length > 0);
  });
}
