// The package in a Vite app, from its tarball: built and previewed, and on the development server.
import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { build, check, install, serve } from "./app.mjs";

const app = install("vite");
const address = ["--host", "127.0.0.1"];

test("a build of Vite has the package's worker and WASM in it, and ranks in a worker", { timeout: 300_000 }, async (t) => {
  build(app, ["vite", "build"]);
  const assets = readdirSync(join(app, "dist/assets"));
  t.diagnostic(assets.map((name) => `${name} ${statSync(join(app, "dist/assets", name)).size}`).join(", "));
  assert.equal(assets.filter((name) => name.endsWith(".wasm")).length, 5);
  const { page, fetched } = await check(t, await serve(t, app, ["vite", "preview", ...address]));
  // What is not needed is not fetched.
  assert.equal(new Set(fetched.filter((path) => path.endsWith(".wasm"))).size, 1);
  assert.ok(page.workers().length > 0);
});

test("the development server of Vite gives the same", { timeout: 300_000 }, async (t) => {
  const { page } = await check(t, await serve(t, app, ["vite", "--force", ...address]));
  assert.ok(page.workers().length > 0);
});
