// The benchmark: ours against its peers, in one Chromium, turn by turn. `cargo xtask bench` prepares everything and starts this.
//   node bench/run.mjs [--quick] [--device cpu|webgpu|all] [--workload NAME,...] [--rounds N]
// What is asked for and cannot be measured (a variant not built, no adapter, a peer that fails) is an error; nothing is skipped.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Tokenizer } from "@huggingface/tokenizers";
import { launch } from "../tests/browser/chromium.mjs";
import { dist, modelCache } from "../tests/browser/server.mjs";
import { growthMarkdown, growthPlot, measureGrowth } from "./growth.mjs";
import { parse } from "./options.mjs";
import { AGREEMENT, peers, turns, WORKLOADS } from "./plan.mjs";
import { agreement, markdown, row } from "./results.mjs";
import { startServer } from "./server.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const results = join(here, "results");
/** Threads of a peer go on spinning for a moment after their answer. */
const PAUSE_MS = 300;
const VARIANT = { cpu: "cpu", webgpu: "gpu" };

const options = parse(process.argv.slice(2));
const models = process.env.FOLIORANK_BENCH_MODELS ?? join(modelCache, "../bench/models");
for (const device of options.devices) {
  const file = join(dist, "wasm", VARIANT[device], "foliorank_bg.wasm");
  if (!existsSync(file)) throw new Error(`${device} was asked for and www/dist has no ${VARIANT[device]} variant: cargo xtask wasm ${VARIANT[device]}`);
}
if (!existsSync(join(models, "stamp"))) throw new Error(`${models} has no exported models: run bench/export_onnx.py (cargo xtask bench does)`);

const versions = JSON.parse(readFileSync(join(here, "package.json"), "utf8")).dependencies;
const definition = JSON.parse(readFileSync(join(modelCache, "ms-marco-minilm-l12-v2/tokenizer.json"), "utf8"));
const tokenizer = new Tokenizer(definition, {});
const countTokens = (text) => tokenizer.encode(text, { add_special_tokens: false }).ids.length;
const pause = () => new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });
const load = () => os.loadavg()[0].toFixed(1);

const server = await startServer(models);
const browser = await launch();

/** A page of its own, or one more page of a context (which has the same caches). */
async function openPage(context) {
  const own = context ?? await browser.newContext();
  const page = await own.newPage();
  page.on("pageerror", (error) => console.error(`page: ${error.message}`));
  page.on("console", (message) => { if (message.type() === "error") console.error(`page: ${message.text()}`); });
  await page.goto(`${server.url}/bench/index.html`);
  await page.waitForFunction(() => document.title === "ready");
  return page;
}

const sample = (samples, name, ms) => {
  samples[name].push(ms);
  console.log(`  ${name}: ${(ms / 1000).toFixed(3)} s`);
};

/** Everything loaded in one page; an unmeasured run of each, then turns. */
async function measureWarm(contenders, work, rounds) {
  const page = await openPage();
  const samples = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  const scores = {};
  // Enough to compile and allocate for the largest batch; the long workloads are not run twice for it.
  const warmUp = { ...work, documents: work.documents.slice(0, 16).map((text) => text.slice(0, 20_000)) };
  for (const [name, contender] of Object.entries(contenders)) {
    await page.evaluate(([name, contender, work]) => bench.open(name, contender, work), [name, contender, work]);
    await page.evaluate(([name, work]) => bench.run(name, work), [name, work.pretokenised ? work : warmUp]);
  }
  for (const name of turns(Object.keys(contenders), rounds)) {
    await pause();
    const done = await page.evaluate(([name, work]) => bench.run(name, work), [name, work]);
    if (work.tokens && done.usage && done.usage.tokens !== work.tokens) throw new Error(`expected ${work.tokens} tokens, ours counted ${done.usage.tokens}`);
    sample(samples, name, done.ms);
    scores[name] = done.scores;
  }
  await page.context().close();
  return { samples, scores };
}

/** Every start in a fresh page of one context, whose caches the first, unmeasured start fills. */
async function measureCold(contenders, work, rounds) {
  const context = await browser.newContext();
  const samples = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  const scores = {};
  const names = Object.keys(contenders);
  for (const [turn, name] of [...names, ...turns(names, rounds)].entries()) {
    const page = await openPage(context);
    await pause();
    const done = await page.evaluate(([contender, work]) => bench.cold(contender, work), [contenders[name], work]);
    await page.close();
    if (turn >= names.length) sample(samples, name, done.ms);
    scores[name] = done.scores;
  }
  await context.close();
  return { samples, scores };
}

async function machine() {
  const page = await openPage();
  const environment = await page.evaluate(() => bench.environment());
  const adapter = options.devices.includes("webgpu") ? await page.evaluate(() => bench.adapter()) : undefined;
  await page.context().close();
  if (!environment.crossOriginIsolated) throw new Error("the page is not cross-origin isolated: peers would have no threads");
  if (adapter === null) throw new Error("webgpu was asked for and this Chromium has no WebGPU adapter");
  const [cpu] = os.cpus();
  const gibibytes = Math.round(os.totalmem() / 2 ** 30);
  const described = adapter ? `; WebGPU adapter: ${[adapter.vendor, adapter.architecture, adapter.device, adapter.description].filter(Boolean).join(" ")}` : "";
  const text = `${environment.threads} threads of ${cpu.model}, ${gibibytes} GiB, ${os.type()} ${os.arch()}, Chromium ${browser.version()}${described}`;
  return { text, threads: environment.threads, software: adapter?.software ?? false };
}

const found = await machine();
console.log(found.text);
const report = { machine: found.text, rows: [] };
const details = { command: `cargo xtask bench ${process.argv.slice(2).join(" ")}`.trim(), date: new Date().toISOString().slice(0, 10), load: [load()], worst: [], samples: [] };
mkdirSync(results, { recursive: true });
const write = (file, text) => writeFileSync(join(results, file), text);
const json = (value) => `${JSON.stringify(value, null, 2)}\n`;

for (const device of options.devices) {
  for (const workload of WORKLOADS) {
    if (options.workloads ? !options.workloads.includes(workload.name) : options.quick && !workload.quick) continue;
    // Named on the command line it runs anywhere; unnamed it is for adapters that can.
    if (device === "webgpu" && found.software && !workload.software && !options.workloads) continue;
    console.log(`${workload.name} on ${device}`);
    const work = workload.work(countTokens);
    const others = peers(workload, device, found.threads, versions);
    const contenders = { ours: { model: workload.model, device } };
    for (const { peer, ...contender } of others) contenders[`${peer}, ${contender.threads} threads`] = contender;
    const rounds = options.rounds ?? (options.quick ? 2 : workload.rounds);
    const { samples, scores } = await (workload.cold ? measureCold : measureWarm)(contenders, work, rounds);
    for (const { peer, threads } of others) {
      const name = `${peer}, ${threads} threads`;
      details.worst.push(agreement(name, scores.ours, scores[name], AGREEMENT[workload.model]));
      report.rows.push(row({ workload: workload.name, device, threads, peer, ours: samples.ours, theirs: samples[name] }));
    }
    details.samples.push({ workload: workload.name, device, samples });
    // After every workload: a run that is cut keeps what it has.
    write("latest.json", json(report));
    write("latest.md", markdown(report, { ...details, load: [...details.load, load()] }));
    write("samples.json", json({ machine: found.text, ...details }));
  }
  if (options.workloads ? options.workloads.includes("growth") : !options.quick && !(device === "webgpu" && found.software)) {
    const grown = { machine: found.text, device, rows: await measureGrowth(openPage, device, options) };
    write(`growth-${device}.json`, json(grown));
    write(`growth-${device}.md`, growthMarkdown(grown));
    write(`growth-${device}.svg`, growthPlot(grown));
  }
}
await browser.close();
await server.close();
console.log(`written to ${results}`);
