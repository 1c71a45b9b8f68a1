// What the tests of the apps share: the package installed from its tarball as its user does it, the app's own tools, and what the page
// says in Chromium. The page has to say what the same files compute in this process.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { launch } from "../browser/chromium.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const tiny = join(root, "models/tiny-cross-encoder");
const npm = (args, cwd) => execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

/** Installs the tarball in the app, beside what its lock file names, and puts the model where the app looks for it. Returns the app's folder. */
export function install(name) {
  const app = join(here, name);
  const folder = mkdtempSync(join(tmpdir(), "foliorank-app-"));
  try {
    const [{ filename }] = JSON.parse(npm(["pack", "--json", "--pack-destination", folder], join(root, "www")));
    npm(["install", "--no-save", "--no-audit", "--no-fund", "--prefer-offline", join(folder, filename)], app);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  cpSync(tiny, join(app, "public/models/tiny-cross-encoder"), { recursive: true });
  return app;
}

const environment = { ...process.env, NO_COLOR: "1", NEXT_TELEMETRY_DISABLED: "1" };
const bin = (app, name) => join(app, "node_modules/.bin", name);

/** Runs a command of the app's to its end; an error has what it said. */
export const build = (app, [name, ...args]) => execFileSync(bin(app, name), args, { cwd: app, encoding: "utf8", env: environment, stdio: ["ignore", "pipe", "pipe"] });

/** Starts a server of the app's and resolves to its URL. Ended after the test, by its process. */
export async function serve(t, app, [name, ...args]) {
  const child = spawn(bin(app, name), args, { cwd: app, env: environment, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const ended = new Promise((resolve) => { child.once("exit", resolve); });
  t.after(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  return new Promise((resolve, reject) => {
    const hear = (bytes) => {
      said += bytes;
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
      if (found) resolve(found[0]);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${name} ended with ${code}: ${said}`)));
    setTimeout(() => reject(new Error(`${name} did not listen within 120 s: ${said}`)), 120_000).unref();
  });
}

/** What the app's page has to find, computed here by the files that were packed. */
async function expected() {
  const dist = join(root, "www/dist");
  const [{ Reranker }, glue] = await Promise.all(["main-thread.js", "wasm/cpu/foliorank.js"].map((path) => import(pathToFileURL(join(dist, path)).href)));
  const reranker = await Reranker.load({
    wasm: { glue, module: await WebAssembly.compile(readFileSync(join(dist, "wasm/cpu/foliorank_bg.wasm"))), variant: "cpu" },
    files: {
      manifest: readFileSync(join(tiny, "model.json"), "utf8"),
      tokenizer: new Uint8Array(readFileSync(join(tiny, "tokenizer.json"))), weights: new Uint8Array(readFileSync(join(tiny, "model.safetensors"))),
    },
  });
  return (await reranker.rerank("good bridge", ["Berlin is well known for its museums.", "The old stone bridge over the river was made in a long winter."])).results;
}

/** Opens the app and compares what it found. The page may not ask for anything that is not there, nor for another host. */
export async function check(t, url) {
  const browser = await launch({ webgpu: false });
  t.after(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  const [wrong, fetched] = [[], []];
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error") wrong.push(message.text()); });
  page.context().on("response", (response) => {
    fetched.push(new URL(response.url()).pathname);
    if (response.status() >= 400) wrong.push(`${response.status()} for ${response.url()}`);
    if (!/^(data|blob):/.test(response.url()) && new URL(response.url()).origin !== url) wrong.push(`${response.url()} is elsewhere`);
  });
  const begun = performance.now();
  await page.goto(url);
  await page.waitForFunction(() => document.querySelector("output")?.textContent).catch((error) => { throw new Error(`${error.message}: ${wrong.join("; ")}`); });
  const milliseconds = performance.now() - begun;
  const { results, info } = JSON.parse(await page.textContent("output"));
  assert.deepEqual(wrong, []);
  const own = await expected();
  assert.deepEqual(results.map(({ index, passage }) => ({ index, passage })), own.map(({ index, passage }) => ({ index, passage })));
  for (const [place, { relevanceScore }] of own.entries()) assert.ok(Math.abs(results[place].relevanceScore - relevanceScore) < 1e-5);
  assert.match(info.variant, /^cpu/);
  t.diagnostic(`${Math.round(milliseconds)} ms to the result, ${fetched.length} files`);
  return { page, fetched };
}
