// A soak: servers asked again and again, well and badly, while their memory is looked at. Ends with 1 when it grows or a good request fails.
//   node bench/soak.mjs [--minutes 10] [--pause 500] [--model folder] [--name soak]
// Writes bench/results/<name>.json, .svg and .md. Needs what bench/load.mjs needs. Memory is the resident set of the server's process.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { foliorank, modelCache, root, start, template } from "../tests/edge/host.mjs";
import { BODIES } from "./requests.mjs";

const { values } = parseArgs({ options: {
  name: { type: "string", default: "soak" }, minutes: { type: "string", default: "10" }, pause: { type: "string", default: "500" }, model: { type: "string", default: join(modelCache, "ms-marco-minilm-l12-v2") },
} });
const model = resolve(values.model);
const [minutes, pause] = [Number(values.minutes), Number(values.pause)];
for (const number of [minutes, pause]) if (!(number > 0)) throw new Error("--minutes and --pause expect numbers above 0");
/** Of all samples, those from which on memory has to be flat: caches are filled, buffers have their size. */
const WARM = 0.3;
/** MiB. */
const MAY_GROW = 8;

const ended = [];
const life = { after: (end) => ended.unshift(end) };
const SERVERS = {
  native: () => start(life, foliorank, ["serve", "--port", "0", "--model", model], { cwd: root }),
  Node: () => start(life, process.execPath, ["server.mjs"], { cwd: template(life, "node"), env: { MODEL: model } }),
};

const resident = ({ child }) => Number(execFileSync("ps", ["-o", "rss=", "-p", String(child.pid)], { encoding: "utf8" })) / 1024;

async function ask(server, turn) {
  const post = (body, signal) => fetch(`${server.url}/rerank`, { method: "POST", headers: { "content-type": "application/json" }, body, ...(signal ? { signal } : {}) });
  // Now and then something that is refused, and somebody who does not wait for the answer.
  if (turn % 10 === 7) return server.count((await post(`{"query": "${"x".repeat(5000)}"`)).status === 400 ? "refused" : "wrong");
  if (turn % 10 === 8) return post(BODIES[turn % BODIES.length], AbortSignal.timeout(5)).then((response) => response.text()).then(() => server.count("answered"), () => server.count("left"));
  const response = await post(BODIES[turn % BODIES.length]);
  const { results } = await response.json();
  return server.count(response.status === 200 && results.length > 0 ? "answered" : "wrong");
}

/** Asks until the time is over; the answer to one is waited for before the next. */
async function press(server, until) {
  for (let turn = 0; performance.now() < until; turn += 1) {
    await ask(server, turn).catch(() => server.count("wrong"));
    await sleep(pause);
  }
}

const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

/** Memory after the warm-up and at the end, each a mean of a fifth of what is left. */
function verdict(samples, name) {
  const warm = samples.slice(Math.floor(WARM * samples.length)).map((sample) => sample[name]);
  const share = Math.max(1, Math.floor(warm.length / 5));
  const [early, late] = [mean(warm.slice(0, share)), mean(warm.slice(-share))];
  return { early, late, grew: late - early };
}

const COLOURS = { native: "#1f5fbf", Node: "#c2410c" };

function plot(samples, names) {
  const [width, height, left, bottom, top] = [760, 320, 56, 40, 16];
  const most = Math.ceil(Math.max(...samples.flatMap((sample) => names.map((name) => sample[name]))) / 50) * 50;
  const last = samples.at(-1).seconds;
  const x = (seconds) => left + ((width - left - 90) * seconds) / last;
  const y = (mb) => height - bottom - ((height - bottom - top) * mb) / most;
  const lines = [];
  for (let mb = 0; mb <= most; mb += 50) lines.push(`<path d="M${left} ${y(mb)}H${width - 90}" stroke="#ddd"/><text x="${left - 8}" y="${y(mb) + 4}" text-anchor="end">${mb}</text>`);
  for (let minute = 0; minute * 60 <= last + 1; minute += Math.max(1, Math.round(last / 600))) lines.push(`<text x="${x(minute * 60)}" y="${height - bottom + 18}" text-anchor="middle">${minute}</text>`);
  for (const name of names) {
    const points = samples.map((sample) => `${x(sample.seconds).toFixed(1)},${y(sample[name]).toFixed(1)}`).join(" ");
    lines.push(`<polyline points="${points}" fill="none" stroke="${COLOURS[name]}" stroke-width="2"/><text x="${width - 84}" y="${y(samples.at(-1)[name]) + 4}" fill="${COLOURS[name]}">${name}</text>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#333"><rect width="100%" height="100%" fill="#fff"/>
${lines.join("\n")}
<text x="${(left + width - 90) / 2}" y="${height - 6}" text-anchor="middle">minutes</text><text transform="translate(14 ${height / 2}) rotate(-90)" text-anchor="middle">resident memory, MiB</text>
</svg>
`;
}

try {
  const servers = [];
  for (const [name, begin] of Object.entries(SERVERS)) {
    const counts = { answered: 0, refused: 0, left: 0, wrong: 0 };
    servers.push({ name, counts, count: (what) => { counts[what] += 1; }, ...await begin() });
  }
  const names = servers.map(({ name }) => name);
  const begun = performance.now();
  const until = begun + minutes * 60_000;
  const samples = [];
  const look = () => samples.push({ seconds: Math.round((performance.now() - begun) / 1000), ...Object.fromEntries(servers.map((server) => [server.name, resident(server)])) });
  look();
  const timer = setInterval(look, (minutes * 60_000) / 120);
  await Promise.all(servers.map((server) => press(server, until)));
  clearInterval(timer);
  look();
  const found = servers.map(({ name, counts }) => ({ name, ...counts, ...verdict(samples, name) }));
  const isFlat = ({ grew, wrong }) => grew <= MAY_GROW && wrong === 0;
  const json = { minutes, pause, servers: found, samples };
  const folder = join(root, "bench/results");
  writeFileSync(join(folder, `${values.name}.json`), `${JSON.stringify(json).replaceAll('{"seconds"', '\n{"seconds"')}\n`);
  writeFileSync(join(folder, `${values.name}.svg`), plot(samples, names));
  const rows = found.map(({ name, answered, refused, left, wrong, early, late, grew }) => `| ${name} | ${answered} | ${refused} | ${left} | ${wrong} | ${early.toFixed(1)} | ${late.toFixed(1)} | ${grew.toFixed(1)} |`);
  writeFileSync(join(folder, `${values.name}.md`), `# Soak

Written by \`node bench/soak.mjs --minutes ${minutes} --pause ${pause}\` on ${new Date().toISOString().slice(0, 10)}: the model ${basename(model)}, each server asked by one client that pauses between requests of mixed sizes;
one of ten is malformed, one of ten is not waited for. Resident memory in MiB, after ${100 * WARM} % of the time and at the end, as means. Flat: ${MAY_GROW} MiB of growth or less.

| server | answered | refused | left | wrong | early | late | growth |
|---|---|---|---|---|---|---|---|
${rows.join("\n")}

![Memory over time](${values.name}.svg)
`);
  console.log(rows.join("\n"));
  if (!found.every(isFlat)) process.exitCode = 1;
} finally {
  for (const end of ended) await end();
}
