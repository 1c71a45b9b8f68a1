// Servers under load: requests a second and waiting times of `foliorank serve`, with and without scoring requests together, and of the
// JavaScript handler on Node and Deno, in turns in one run. A client in this process, over loopback; each connection asks again when it is answered.
//   node bench/load.mjs [--seconds 15] [--rounds 2] [--connections 1,8,64] [--model folder]
// Writes bench/results/load.md. What is measured has to be built: `cargo xtask models` and `cargo xtask demo --no-serve`.
import { writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { cpus, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { deno, foliorank, modelCache, root, start, template } from "../tests/edge/host.mjs";
import { BODIES, SIZES } from "./requests.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: {
  seconds: { type: "string", default: "15" }, rounds: { type: "string", default: "2" }, connections: { type: "string", default: "1,8,64" },
  model: { type: "string", default: join(modelCache, "ms-marco-minilm-l12-v2") },
} });
const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
const counts = values.connections.split(",").map(Number);
for (const number of [seconds, rounds, ...counts]) if (!(number > 0)) throw new Error("--seconds, --rounds and --connections expect numbers above 0");

const ended = [];
/** What host.mjs expects of a test. */
const life = { after: (end) => ended.unshift(end) };
const native = (args) => () => start(life, foliorank, ["serve", "--port", "0", "--model", values.model, "--queue", "256", ...args], { cwd: root });
const SERVERS = {
  "native": native([]),
  "native, one at a time": native(["--concurrency", "1"]),
  "Node": () => start(life, process.execPath, ["server.mjs"], { cwd: template(life, "node"), env: { MODEL: values.model, QUEUE: "256" } }),
  "Deno": () => start(life, deno, ["run", "--allow-net", "--allow-read", "--allow-env", "server.mjs"], { cwd: template(life, "deno"), env: { MODEL: values.model, QUEUE: "256", DEVICE: "cpu" } }),
};

function ask(agent, url, body) {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/rerank`, { method: "POST", agent, headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) } }, (response) => {
      response.resume();
      response.once("end", () => (response.statusCode === 200 ? resolve() : reject(new Error(`${url} answered ${response.statusCode}`))));
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

/** Milliseconds of every request, and of all. */
async function measure(url, connections) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const begun = performance.now();
  const times = [];
  await Promise.all(Array.from({ length: connections }, async (_, connection) => {
    for (let turn = connection; performance.now() - begun < seconds * 1000; turn += 1) {
      const sent = performance.now();
      await ask(agent, url, BODIES[turn % BODIES.length]);
      times.push(performance.now() - sent);
    }
  }));
  agent.destroy();
  return { times, took: performance.now() - begun };
}

const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];

try {
  const before = loadavg()[0];
  const servers = [];
  for (const [name, begin] of Object.entries(SERVERS)) servers.push({ name, url: (await begin()).url });
  for (const { url } of servers) for (const body of BODIES) await ask(new Agent(), url, body);
  const found = new Map();
  for (const connections of counts) {
    for (let round = 0; round < rounds; round += 1) {
      // Nobody always follows the same one.
      for (const { name, url } of round % 2 ? servers.toReversed() : servers) {
        const { times, took } = await measure(url, connections);
        const sum = found.get(`${connections} ${name}`) ?? { connections, name, times: [], took: 0 };
        found.set(`${connections} ${name}`, { ...sum, times: [...sum.times, ...times], took: sum.took + took });
        console.error(`${connections} connections, ${name}: ${times.length} requests in ${(took / 1000).toFixed(1)} s`);
      }
    }
  }
  const rate = (connections, name) => { const { times, took } = found.get(`${connections} ${name}`); return (1000 * times.length) / took; };
  const rows = [...found.values()].map(({ connections, name, times }) => {
    const sorted = times.toSorted((a, b) => a - b);
    const ratio = rate(connections, name) / rate(connections, "native, one at a time");
    return `| ${connections} | ${name} | ${rate(connections, name).toFixed(1)} | ${quantile(sorted, 0.5).toFixed(0)} | ${quantile(sorted, 0.99).toFixed(0)} | ${ratio.toFixed(2)} |`;
  });
  const sizes = SIZES.map(([documents, words]) => `${documents} x ${words}`).join(", ");
  writeFileSync(join(here, "results/load.md"), `# Servers under load

Written by \`node bench/load.mjs --seconds ${seconds} --rounds ${rounds} --connections ${counts.join(",")}\` on ${new Date().toISOString().slice(0, 10)}: ${cpus().length} threads of ${cpus()[0].model}, shared with the
client; load average ${before.toFixed(1)} before, ${loadavg()[0].toFixed(1)} after. The default model (12 layers, int8) on the CPU. Requests of ${sizes} documents x words, in turn; each
connection asks again when it is answered. Ratio: requests a second against the native server that scores one request at a time.

| connections | server | requests/s | p50, ms | p99, ms | ratio |
|---|---|---|---|---|---|
${rows.join("\n")}
`);
} finally {
  for (const end of ended) await end();
}
