// The benchmark: ours against its peers, in one Chromium, turn by turn. `cargo xtask bench` prepares everything and starts this.
//   node bench/run.mjs [--quick] [--device cpu|webgpu|all] [--workload NAME,...] [--rounds N]
// What is asked for and cannot be measured (a variant not built, no adapter, a peer that fails) is an error; nothing is skipped.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { dist, modelCache } from "../tests/browser/server.mjs";
import { growthMarkdown, growthPlot, measureGrowth } from "./growth.mjs";
import { startBench } from "./measure.mjs";
import { parse } from "./options.mjs";
import { AGREEMENT, peers, WORKLOADS } from "./plan.mjs";
import { agreement, markdown, row, withRun } from "./results.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const models = process.env.FOLIORANK_BENCH_MODELS ?? join(modelCache, "../bench/models");
const VARIANT = { cpu: "cpu-relaxed", webgpu: "gpu" };

const load = () => os.loadavg()[0].toFixed(1);
const write = (file, text) => writeFileSync(join(here, "results", file), text);
const json = (value) => `${JSON.stringify(value, null, 2)}\n`;

function checkBuilt(devices) {
  for (const device of devices) {
    const file = join(dist, "wasm", VARIANT[device], "foliorank_bg.wasm");
    if (!existsSync(file)) throw new Error(`${device} was asked for and www/dist has no ${VARIANT[device]} variant: cargo xtask wasm ${VARIANT[device]}`);
  }
  if (!existsSync(join(models, "stamp"))) throw new Error(`${models} has no exported models: cargo xtask bench writes them`);
}

function machine({ threads, browser, adapter }, devices) {
  if (devices.includes("webgpu") && !adapter) throw new Error("webgpu was asked for and this Chromium has no WebGPU adapter");
  const names = adapter ? [adapter.vendor, adapter.architecture, adapter.device, adapter.description].filter(Boolean) : [];
  const gpu = `; WebGPU adapter: ${names.join(" ") || "none"}`;
  return `${threads} threads of ${os.cpus()[0].model}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()} ${os.arch()}, Chromium ${browser}${gpu}`;
}

/** The model's own tokenizer, in JavaScript: makes documents of an exact length. */
async function tokenCounter() {
  const { Tokenizer } = await import("@huggingface/tokenizers");
  const tokenizer = new Tokenizer(JSON.parse(readFileSync(join(models, WORKLOADS[0].model, "tokenizer.json"), "utf8")), {});
  return (text) => tokenizer.encode(text, { add_special_tokens: false }).ids.length;
}

/** Software WebGPU runs what is small enough for it, and what is named for it alone. */
function chosen({ name, quick, software }, device, options, slow) {
  const fits = software || device === "cpu" || !slow;
  if (options.workloads) return options.workloads.includes(name) && (fits || options.devices.length === 1);
  return (quick || !options.quick) && fits;
}

/** Ours against a peer of so many threads: as many workers, on the CPU. */
const ours = (threads, device) => (threads > 1 && device === "cpu" ? `ours, ${threads} threads` : "ours");

/** Contenders by name: ours, once for every number of threads that a peer has, and each peer. */
const contenders = (workload, device, others) => ({
  ours: { model: workload.model, device, threads: 1 },
  ...Object.fromEntries(others.map(({ threads }) => [ours(threads, device), { model: workload.model, device, threads: device === "cpu" ? threads : 1 }])),
  ...Object.fromEntries(others.map(({ peer, ...contender }) => [`${peer}, ${contender.threads} threads`, contender])),
});

/** Runs of an earlier call on this machine, when only some workloads are measured again. */
function earlier(machine, { workloads }) {
  const file = join(here, "results/samples.json");
  const kept = workloads && existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  return kept.machine === machine ? kept.runs : [];
}

/** After every workload: a call that is cut keeps what it has. */
function writeRuns(machine, runs) {
  write("latest.json", json({ machine, rows: runs.flatMap(({ rows }) => rows) }));
  write("latest.md", markdown({ machine, runs }));
  write("samples.json", json({ machine, runs }));
}

async function measureAll(bench, options) {
  const environment = await bench.environment();
  const where = machine(environment, options.devices);
  const about = { command: ["cargo xtask bench", ...process.argv.slice(2)].join(" "), date: new Date().toISOString().slice(0, 10) };
  const versions = JSON.parse(readFileSync(join(here, "package.json"), "utf8")).dependencies;
  const countTokens = await tokenCounter();
  const slow = environment.adapter?.software ?? false;
  let runs = earlier(where, options);
  console.log(where);
  for (const device of options.devices) {
    for (const workload of WORKLOADS.filter((workload) => chosen(workload, device, options, slow))) {
      console.log(`${workload.name} on ${device}`);
      const before = load();
      const others = peers(workload, device, environment.threads, versions);
      const rounds = options.rounds ?? (options.quick ? 2 : workload.rounds);
      const measure = workload.cold ? bench.cold : bench.warm;
      const { samples, scores } = await measure(contenders(workload, device, others), workload.work(countTokens), rounds);
      const nameOf = ({ peer, threads }) => `${peer}, ${threads} threads`;
      const differences = others.map((other) => agreement(nameOf(other), scores.ours, scores[nameOf(other)], AGREEMENT[workload.model]));
      const rows = others.map((other) => row({ workload: workload.name, device, threads: other.threads, peer: other.peer, ours: samples[ours(other.threads, device)], theirs: samples[nameOf(other)] }));
      runs = withRun(runs, { workload: workload.name, device, ...about, load: [before, load()], rows, differences, samples }, WORKLOADS.map(({ name }) => name));
      writeRuns(where, runs);
    }
    if (chosen({ name: "growth", quick: false, software: false }, device, options, slow)) {
      const grown = { machine: where, device, command: about.command, rows: await measureGrowth(bench.openPage, device, options) };
      write(`growth-${device}.json`, json(grown));
      write(`growth-${device}.md`, growthMarkdown(grown));
      write(`growth-${device}.svg`, growthPlot(grown));
    }
  }
}

async function main() {
  const options = parse(process.argv.slice(2));
  checkBuilt(options.devices);
  mkdirSync(join(here, "results"), { recursive: true });
  const bench = await startBench(models);
  try {
    await measureAll(bench, options);
  } finally {
    await bench.close();
  }
  console.log(`written to ${join(here, "results")}`);
}

try {
  await main();
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
