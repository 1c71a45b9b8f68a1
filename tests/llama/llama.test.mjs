// The whole pipeline against a real language model, SmolLM2-135M behind llama.cpp's server: the plumbing, natively and in JavaScript. The
// model is too weak to write questions, so what it says may be nonsense and all of it may die; but whatever it says, the form must hold.
//
// Not part of CI: it downloads 127 MB, and takes minutes where the machine is busy. `cargo build -p foliorank -p foliorank-cli`, the page
// in www/dist (`cargo xtask demo --no-serve`), then `node --test tests/llama/llama.test.mjs`.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundleLlm } from "../../www/test/llm-server.mjs";
import { foliorank, root, start, tiny } from "../edge/host.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const www = join(root, "www");
const MINUTES = 60_000;
const PAGE = "Holm had 11 water mills on its river in 2021. The mills ground rye and barley for four towns. Repairs cost 120,000 kronor in 2020.\n";
/** Few questions, for each takes seconds. */
const FEW = { candidates: 1, positives: 1, variants: 2, rephrase: 0 };

/** The Python of an environment with the server and the model, made on the first run. */
function environment() {
  const folder = join(homedir(), ".cache/foliorank/llama");
  const python = join(folder, "bin/python");
  const stamp = join(folder, "requirements.txt");
  const wanted = readFileSync(join(here, "requirements.txt"), "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return python;
  const run = (command, ...args) => execFileSync(command, args, { stdio: "inherit" });
  run("python3", "-m", "venv", "--clear", folder);
  run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--requirement", join(here, "requirements.txt"));
  writeFileSync(stamp, wanted);
  return python;
}

const forms = { json_schema: "schema", json_object: "object" };
/** Before the model: logs every request, and refuses what `refuses` names. */
async function proxyOf(target) {
  const state = { asked: [], refuses: [] };
  const server = createServer(async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const body = Buffer.concat(pieces);
    const form = forms[JSON.parse(body).response_format?.type] ?? "words";
    state.asked.push({ form, body: String(body) });
    if (state.refuses.includes(form)) {
      response.writeHead(400, { "content-type": "application/json" }).end('{"error":{"message":"no such response_format","type":"test","code":null,"param":null}}');
      return;
    }
    try {
      const answer = await fetch(target + request.url, { method: "POST", headers: { "content-type": "application/json" }, body });
      response.writeHead(answer.status, { "content-type": "application/json" }).end(Buffer.from(await answer.arrayBuffer()));
    } catch {
      response.destroy();
    }
  });
  await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  state.baseUrl = `http://127.0.0.1:${server.address().port}/v1`;
  state.close = () => { server.closeAllConnections(); server.close(); };
  return state;
}

let model;
let proxy;
const cleanUp = [];
before(async () => {
  model = await start({ after: (end) => cleanUp.push(end) }, environment(), [join(here, "serve.py")], { cwd: root, env: {} });
  proxy = await proxyOf(model.url);
}, { timeout: 15 * MINUTES });
after(async () => {
  proxy?.close();
  for (const end of cleanUp) await end();
});

/** Everything made is kept or has died of something. */
const balanced = ({ generated, kept, deaths }) => generated === kept + Object.values(deaths).reduce((sum, n) => sum + n, 0);

/** The tallies of the printed funnel: `positives 3 1  malformed 1, duplicate 1`. */
function funnelOf(text) {
  const lines = [...text.matchAll(/^(positives|negatives|restated) +(\d+) +(\d+) {2}(.*)$/gm)];
  return Object.fromEntries(lines.map(([, name, generated, kept, died]) => [name, {
    generated: Number(generated), kept: Number(kept),
    deaths: Object.fromEntries(died.split(", ").filter(Boolean).map((one) => [one.split(" ")[0], Number(one.split(" ")[1])])),
  }]));
}

const every = (asked) => assert.equal(new Set(asked.map(({ form, body }) => form + body)).size, asked.length, "nothing is asked twice");

test("the command line's pipeline runs on a real model, stops at its budget, goes on, and then asks nothing", { timeout: 15 * MINUTES }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "foliorank-llama-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "in"));
  writeFileSync(join(folder, "in/page.txt"), PAGE);
  const out = join(folder, "out.jsonl");
  const few = Object.entries(FEW).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const generate = (...more) => new Promise((resolve) => {
    const args = ["generate", "--input", join(folder, "in"), "--out", out, "--model", tiny, "--llm", `openai:${proxy.baseUrl}`, "--llm-model", "smollm2", "--parallel", "1", "--retries", "0", "--timeout", "600", ...few, ...more];
    // Not spawnSync: the proxy is in this process.
    const child = spawn(foliorank, args, { env: { ...process.env, RUST_BACKTRACE: "0" } });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => { said += piece; });
    child.once("exit", (code, signal) => resolve({ code, signal, said }));
  });

  proxy.asked.length = 0;
  proxy.refuses = ["schema"];
  const stopped = await generate("--max-calls", "1");
  assert.equal(stopped.code, 1, stopped.said);
  assert.match(stopped.said, /budget/);
  assert.deepEqual(proxy.asked.map(({ form }) => form), ["schema", "object"]);
  proxy.refuses = [];
  const { code, signal, said } = await generate();
  assert.deepEqual([code, signal], [0, null], said);
  assert.match(said, /1 of 1 pages \(0 done before\)/);
  const funnel = funnelOf(said);
  assert.ok(funnel.positives?.generated > 0, said);
  for (const tally of Object.values(funnel)) assert.ok(balanced(tally), said);
  every(proxy.asked);
  for (const line of readFileSync(out, "utf8").split("\n").filter(Boolean)) {
    const group = JSON.parse(line);
    assert.ok(group.positive.query && group.negatives.length > 0, line);
  }
  t.diagnostic(said.replace(/\n/g, " | "));
  const asked = proxy.asked.length;
  const again = await generate();
  assert.equal(again.code, 0, again.said);
  assert.match(again.said, /1 of 1 pages \(1 done before\)/);
  assert.equal(proxy.asked.length, asked, "a second run asks nothing");
});

test("the package's pipeline runs on a real model, by schema and without, and a second run asks nothing", { timeout: 15 * MINUTES }, async (t) => {
  const esbuild = createRequire(join(www, "package.json"))("esbuild");
  const folder = join(www, "node_modules/.foliorank-test");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `llama-${process.pid}.mjs`);
  writeFileSync(file, await bundleLlm(esbuild, www, false));
  t.after(() => rmSync(file));
  const { openAiCompatible } = await import(pathToFileURL(file).href);
  // Node's fetch has no files.
  const { fetch } = globalThis;
  globalThis.fetch = async (url, options) => (String(url).startsWith("file:")
    ? new Response(readFileSync(fileURLToPath(String(url))), { headers: { "content-type": "application/wasm" } })
    : fetch(url, options));
  t.after(() => { globalThis.fetch = fetch; });
  const { generateNegatives, memoryAnswers } = await import("../../www/dist/index.js");
  const words = (text) => text.toLowerCase().split(/\W+/);
  const judge = {
    rerank: async (query, documents) => ({
      results: documents.map((document, index) => ({ index, relevanceScore: words(query).filter((word) => words(document).includes(word)).length })),
    }),
  };
  for (const refuses of [[], ["schema", "object"]]) {
    proxy.asked.length = 0;
    proxy.refuses = refuses;
    const options = {
      judge, llm: openAiCompatible({ baseUrl: proxy.baseUrl, model: "smollm2", maxRetries: 0, timeoutMs: 10 * MINUTES }), cache: memoryAnswers(),
      settings: FEW, wasmUrl: pathToFileURL(join(www, "dist/wasm")).href,
    };
    const { funnel, usage, stopped } = await generateNegatives({ text: PAGE, title: "page" }, options);
    assert.equal(stopped, undefined);
    assert.ok(funnel.positives.generated > 0);
    for (const tally of Object.values(funnel)) assert.ok(balanced(tally), JSON.stringify(funnel));
    t.diagnostic(JSON.stringify({ funnel, usage }));
    every(proxy.asked);
    assert.equal(proxy.asked.length, usage.calls + refuses.length, "what is refused is no call");
    assert.ok(usage.inputTokens > 0 && usage.outputTokens > 0);
    const again = await generateNegatives({ text: PAGE, title: "page" }, options);
    assert.deepEqual([again.usage.calls, again.usage.cached], [0, usage.calls + usage.cached]);
    assert.deepEqual(again.funnel, funnel);
  }
});
