// What a server costs on every runtime: time to the first answer, pairs a second, memory, bytes shipped. The default model, one after the other.
//   node bench/runtimes.mjs [--only native,Node,Deno,workerd] [--rounds 3]
// Writes bench/results/runtimes.md. Needs what bench/load.mjs needs. The browser's row comes from `cargo xtask bench` (results/latest.md).
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { deno, foliorank, modelCache, root, start, template } from "../tests/edge/host.mjs";
import { resident, worker } from "../tests/edge/workerd.mjs";
import { text } from "./requests.mjs";

const { values } = parseArgs({ options: { only: { type: "string", default: "native,Node,Deno,workerd" }, rounds: { type: "string", default: "3" } } });
const rounds = Number(values.rounds);
if (!(rounds > 0)) throw new Error("--rounds expects a number above 0");
const folder = join(modelCache, "ms-marco-minilm-l12-v2");
const dist = join(root, "www/dist");
/** A request of twenty pairs of some fifty tokens each. */
const PAIRS = 20;
const question = (documents) => JSON.stringify({ query: "who paid for the bridge", documents: Array.from({ length: documents }, (_, at) => text(34, at)) });

const ended = [];
const life = { after: (end) => ended.unshift(end) };
const ofProcess = ({ child }) => 1024 * Number(execFileSync("ps", ["-o", "rss=", "-p", String(child.pid)], { encoding: "utf8" }));
const size = (file) => statSync(file).size;
const gzipped = (...files) => files.reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0);
const script = (name) => join(dist, name);
const wasm = (variant) => [join(dist, "wasm", variant, "foliorank.js"), join(dist, "wasm", variant, "foliorank_bg.wasm")];
const model = () => ["model.json", "tokenizer.json", "model.safetensors"].reduce((sum, name) => sum + size(join(folder, name)), 0);

/** The native program without what only a debugger reads. */
function stripped() {
  const place = mkdtempSync(join(tmpdir(), "foliorank-size-"));
  try {
    execFileSync("strip", ["-o", join(place, "foliorank"), foliorank]);
    return size(join(place, "foliorank"));
  } finally {
    rmSync(place, { recursive: true });
  }
}

const RUNTIMES = {
  native: {
    begin: () => start(life, foliorank, ["serve", "--port", "0", "--model", folder], { cwd: root }), memory: ofProcess,
    shipped: () => `program ${mb(stripped())} stripped`, proof: "tests/edge/native.test.mjs, native-faults.test.mjs",
  },
  Node: {
    begin: () => start(life, process.execPath, ["server.mjs"], { cwd: template(life, "node"), env: { MODEL: folder } }), memory: ofProcess,
    shipped: () => `${mb(gzipped(script("edge.js"), script("main-thread.js"), ...wasm("cpu")))} gzip`, proof: "tests/edge/node.test.mjs",
  },
  Deno: {
    begin: () => start(life, deno, ["run", "--allow-net", "--allow-read", "--allow-env", "server.mjs"], { cwd: template(life, "deno"), env: { MODEL: folder, DEVICE: "cpu" } }),
    // npm's `deno` starts the real one.
    memory: ({ child }) => execFileSync("ps", ["-axo", "pid=,ppid=,rss="], { encoding: "utf8" }).trim().split("\n").map((line) => line.trim().split(/ +/).map(Number))
      .filter(([pid, parent]) => pid === child.pid || parent === child.pid).reduce((most, [, , kilobytes]) => Math.max(most, 1024 * kilobytes), 0),
    shipped: () => `${mb(gzipped(script("edge.js"), script("main-thread.js"), ...wasm("gpu")))} gzip`, proof: "tests/edge/deno.test.mjs (also on WebGPU)",
  },
  workerd: {
    begin: () => worker(life, folder, { assets: true }), memory: resident,
    more: async ({ url }) => ` (of it WASM ${mb(Number(await (await fetch(`${url}/taken`)).text()))})`,
    shipped: ({ bundle }) => `${mb(gzipSync(bundle.contents).length + gzipped(wasm("cpu")[1]))} gzip`, proof: "tests/edge/workerd.test.mjs",
  },
};

const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const post = async (url, body) => {
  const response = await fetch(`${url}/rerank`, { method: "POST", headers: { "content-type": "application/json" }, body });
  const answer = await response.json();
  if (!answer.results) throw new Error(`${url}: ${JSON.stringify(answer)}`);
};

const rows = [];
const before = loadavg()[0];
try {
  for (const name of values.only.split(",")) {
    const runtime = RUNTIMES[name];
    if (!runtime) throw new Error(`--only expects ${Object.keys(RUNTIMES)}, found ${name}`);
    const cold = [];
    for (let round = 0; round < rounds - 1; round += 1) {
      const begun = performance.now();
      const server = await runtime.begin();
      await post(server.url, question(1));
      cold.push(performance.now() - (server.begun ?? begun));
      for (const end of ended.splice(0)) await end();
    }
    const begun = performance.now();
    const server = await runtime.begin();
    await post(server.url, question(1));
    cold.push(performance.now() - (server.begun ?? begun));
    const { device } = await (await fetch(`${server.url}/health`)).json();
    const times = [];
    for (let round = 0; round < 2 * rounds; round += 1) {
      const asked = performance.now();
      await post(server.url, question(PAIRS));
      times.push(performance.now() - asked);
    }
    const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
    const memory = `${mb(runtime.memory(server))}${await runtime.more?.(server) ?? ""}`;
    rows.push(`| ${name} | ${device} | ${(median(cold) / 1000).toFixed(2)} s | ${((1000 * PAIRS) / median(times)).toFixed(1)} | ${memory} | ${runtime.shipped(server)} | ${runtime.proof} |`);
    console.error(rows.at(-1));
    for (const end of ended.splice(0)) await end();
  }
} finally {
  for (const end of ended) await end();
}
const parts = readdirSync(folder).length;
writeFileSync(join(root, "bench/results/runtimes.md"), `# Runtimes

Written by \`node bench/runtimes.mjs --only ${values.only} --rounds ${rounds}\` on ${new Date().toISOString().slice(0, 10)}: ${cpus().length} threads of ${cpus()[0].model}, shared with the client; load average
${before.toFixed(1)} before, ${loadavg()[0].toFixed(1)} after. The default model (12 layers, int8). Medians of ${rounds} starts, each from the start of the process (of Miniflare for workerd) to the first answer, and of ${2 * rounds}
requests of ${PAIRS} pairs, some 50 tokens each. Memory is the server's resident set after them. The model's ${parts} files (${mb(model())}) come on top of what is shipped.

| runtime | device | cold start | pairs/s | memory | shipped | test |
|---|---|---|---|---|---|---|
${rows.join("\n")}
`);
