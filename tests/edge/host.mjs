// What the tests of every runtime share: a folder that looks as if the package was installed there, and a server process to talk to.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { connect } from "node:net";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, "../..");
export const tiny = join(root, "models/tiny-cross-encoder");
/** The native command, as xtask builds it. */
export const foliorank = join(process.env.CARGO_TARGET_DIR ?? join(homedir(), ".cache/foliorank/target"), "debug/foliorank");
/** Where `foliorank models` keeps what it fetches. */
export const modelCache = process.env.FOLIORANK_MODELS ?? join(process.env.FOLIORANK_CACHE ?? process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "foliorank/models");
const installed = join(here, "node_modules");
/** The `deno` of npm. */
export const deno = join(installed, ".bin/deno");

/** A copy of a template with its packages beside it. Removed after the test. */
export function template(t, name) {
  const folder = mkdtempSync(join(tmpdir(), `foliorank-${name}-`));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(root, "www/edge/templates", name), folder, { recursive: true });
  mkdirSync(join(folder, "node_modules/@hono"), { recursive: true });
  symlinkSync(join(root, "www"), join(folder, "node_modules/foliorank"));
  for (const used of ["@hono/node-server", "hono"]) symlinkSync(join(installed, used), join(folder, "node_modules", used));
  return folder;
}

/** Starts a server and waits for the line that says where it listens. Ended after the test, by its process. */
export async function start(t, command, args, { cwd, env }) {
  const child = spawn(command, args, { cwd, env: { ...process.env, HOST: "127.0.0.1", PORT: "0", ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const url = await new Promise((resolve, reject) => {
    const hear = (bytes) => {
      said += bytes;
      const found = /(?:listening on|Listening on) (http:\/\/127\.0\.0\.1:\d+)/i.exec(said);
      if (found) resolve(found[1]);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
    setTimeout(() => reject(new Error(`the server did not listen within 120 s: ${said}`)), 120_000).unref();
  });
  const ended = new Promise((resolve) => { child.once("exit", (code, signal) => resolve({ code, signal })); });
  t.after(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return { url, child, ended, said: () => said };
}

const documents = ["The old stone bridge over the river was made in a long winter.", "Berlin is well known for its museums.", "A pool."];

/** What every runtime has to answer, in the same way: ranks, shapes, refusals, an abort, requests side by side. */
export async function speak(fetch, url) {
  const post = (path, body, headers = {}, more = {}) =>
    fetch(url + path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: typeof body === "string" ? body : JSON.stringify(body), ...more });
  const health = await (await fetch(`${url}/health`)).json();
  assert.deepEqual([health.status, health.model], ["ok", "tiny-cross-encoder"]);
  const asked = { model: "any", query: "good bridge", documents };
  const first = await (await post("/v2/rerank", asked)).json();
  assert.ok(first.results, JSON.stringify(first));
  assert.deepEqual(first.results.map(({ index }) => index).sort(), [0, 1, 2]);
  assert.deepEqual(first.results.map(({ relevance_score }) => relevance_score), first.results.map(({ relevance_score }) => relevance_score).toSorted((a, b) => b - a));
  const tei = await (await post("/rerank", { query: asked.query, texts: documents })).json();
  assert.deepEqual(tei.map(({ index, score }) => [index, score]), first.results.map(({ index, relevance_score }) => [index, relevance_score]));
  const bad = await post("/rerank", "{");
  assert.deepEqual([bad.status, (await bad.json()).error.code], [400, "invalid_argument"]);

  const many = Array.from({ length: 300 }, (_, index) => `${documents[0].repeat(8)} ${index}`);
  const stopping = new AbortController();
  const stopped = post("/rerank", { ...asked, documents: many }, {}, { signal: stopping.signal }).then(() => "answered", ({ name }) => name);
  setTimeout(() => stopping.abort(), 50);
  assert.equal(await stopped, "AbortError");
  const together = await Promise.all(Array.from({ length: 6 }, () => post("/rerank", asked).then((response) => response.json())));
  for (const { results } of together) assert.deepEqual(results, first.results);

  const events = await (await post("/rerank", asked, { accept: "text/event-stream" })).text();
  assert.match(events, /^event: progress\n/);
  assert.match(events, /\nevent: result\ndata: \{.*"results"/);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assert.match(metrics, /foliorank_requests_total\{route="\/v2\/rerank",status="200"\} 1\n/);
  return { health, results: first.results };
}

/** A connection on which to write what no client would. */
export async function raw(t, url, text) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  t.after(() => socket.destroy());
  await once(socket, "connect");
  socket.write(text);
  return socket;
}

/** What a server with the tokens "one" and "two" has to do with strangers and broken clients. */
export async function endure(t, url) {
  const body = JSON.stringify({ query: "bridge", documents: ["a bridge"] });
  const post = (headers) => fetch(`${url}/rerank`, { method: "POST", headers, body });
  assert.equal((await post({})).status, 401);
  assert.equal((await post({ authorization: "Bearer two" })).status, 200);

  const head = "POST /rerank HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer one\r\n";
  const huge = await raw(t, url, `${head}Content-Length: ${2 ** 30}\r\n\r\n{"query"`);
  const [answer] = await once(huge, "data");
  assert.match(String(answer), /^HTTP\/1\.1 413 /);
  huge.destroy();
  const half = await raw(t, url, `${head}Content-Length: 100\r\n\r\n{"query"`);
  half.destroy();
  assert.equal((await post({ authorization: "Bearer one" })).status, 200);
}
