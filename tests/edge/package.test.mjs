// The tarball as npm packs it: what is in it, what publint and "are the types wrong" say, and that it works where it is installed.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { root, speak, start, tiny } from "./host.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "foliorank-package-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const npm = (args, cwd) => execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const [packed] = JSON.parse(npm(["pack", "--json", "--pack-destination", folder], join(root, "www")));
const tarball = join(folder, packed.filename);

test("the tarball has every file that the exports name, no source and no demo", () => {
  const files = new Set(packed.files.map(({ path }) => path));
  const { exports } = JSON.parse(readFileSync(join(root, "www/package.json"), "utf8"));
  const named = Object.values(exports).flatMap((entry) => (typeof entry === "string" ? [entry] : Object.values(entry))).filter((path) => !path.includes("*"));
  assert.ok(named.length > 10);
  for (const path of named) assert.ok(files.has(path.slice(2)), `${path} is not in the tarball`);
  for (const variant of ["cpu", "cpu-relaxed", "gpu", "images", "logic"]) assert.ok(files.has(`dist/wasm/${variant}/foliorank_bg.wasm`), variant);
  assert.ok(files.has("README.md"));
  for (const path of files) assert.doesNotMatch(path, /^(src|demo|test|node_modules)\/|dist\/demo|\.tgz$/);
});

test("the package's README says what is downloaded", () => {
  const readme = readFileSync(join(root, "www/README.md"), "utf8");
  const rows = [...readme.matchAll(/^\| (`[^|]*`) \| (\d+) \|/gm)].flatMap(([, names, kilobytes]) => [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => [name, Number(kilobytes)]));
  assert.deepEqual(rows.map(([name]) => name), ["index.js", "worker.js", "wasm/cpu", "wasm/cpu-relaxed", "wasm/gpu", "wasm/logic", "wasm/images"]);
  for (const [name, kilobytes] of rows) {
    const file = join(root, "www/dist", name.endsWith(".js") ? name : `${name}/foliorank_bg.wasm`);
    const size = gzipSync(readFileSync(file), { level: 9 }).length / 1000;
    assert.ok(Math.abs(size - kilobytes) <= 1 + 0.03 * size, `${name} has ${size.toFixed(1)} kB, www/README.md says ${kilobytes}`);
  }
});

test("publint has nothing to say", async () => {
  const { messages, pkg } = await publint({ pkgDir: join(root, "www"), level: "suggestion" });
  assert.deepEqual(messages.map((message) => formatMessage(message, pkg)), []);
});

test("the types are not wrong", () => {
  // Exits with 1 for any problem, which execFileSync throws.
  execFileSync(process.execPath, [join(here, "node_modules/@arethetypeswrong/cli/dist/index.js"), tarball, "--profile", "esm-only"], { encoding: "utf8", stdio: "pipe" });
});

test("installed from the tarball it serves on Node", { timeout: 180_000 }, async (t) => {
  const cwd = join(folder, "installed");
  mkdirSync(cwd);
  cpSync(join(root, "www/edge/templates/node/server.mjs"), join(cwd, "server.mjs"));
  writeFileSync(join(cwd, "package.json"), '{ "private": true, "type": "module" }');
  npm(["install", "--no-audit", "--no-fund", "--omit=optional", "--legacy-peer-deps", tarball], cwd);
  mkdirSync(join(cwd, "node_modules/@hono"), { recursive: true });
  for (const used of ["@hono/node-server", "hono"]) symlinkSync(join(here, "node_modules", used), join(cwd, "node_modules", used));
  const { url } = await start(t, process.execPath, ["server.mjs"], { cwd, env: { MODEL: tiny } });
  await speak(fetch, url);
});
