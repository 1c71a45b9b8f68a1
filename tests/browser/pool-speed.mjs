// Measures what a pool of workers gains on this machine's CPU; asserts nothing.
//   node tests/browser/pool-speed.mjs [model] [threads] [rounds]
// One and several workers take turns on the same 100 documents; medians and their ratio are printed, with the machine's
// load: where others compute too the ratio says more about them than about the pool.
import { loadavg } from "node:os";
import { launch } from "./chromium.mjs";
import { blankRoutes, openPage } from "./page.mjs";
import { startServer } from "./server.mjs";
import { mixedDocuments } from "./texts.mjs";

const [name = "tiny-cross-encoder", threads = "2", rounds = "5"] = process.argv.slice(2);
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const show = (values) => `${median(values).toFixed(0)} ms (${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)})`;

const ends = [];
try {
  const browser = await launch({ webgpu: false });
  ends.push(() => browser.close());
  const server = await startServer({ ...blankRoutes });
  ends.push(() => server.close());
  const page = await openPage({ after: (end) => ends.push(end) }, browser, server);
  const before = loadavg()[0];
  const result = await page.evaluate(async ({ name, threads, rounds, documents }) => {
    const wait = () => new Promise((resolve) => setTimeout(resolve, 20));
    const begun = performance.now();
    const one = await Reranker.load({ model: model(name), device: "cpu", threads: 1 });
    const loadMs = performance.now() - begun;
    const several = await Reranker.load({ model: model(name), device: "cpu", threads });
    const grown = performance.now();
    while (several.info.threads < threads) await wait();
    const growMs = performance.now() - grown;
    const times = { one: [], several: [] };
    const query = "good bridge over the water";
    for (let round = 0; round <= rounds; round += 1) {
      for (const [key, reranker] of [["one", one], ["several", several]]) {
        const { timing } = await reranker.rerank(query, documents);
        // The first round compiles.
        if (round > 0) times[key].push(timing.totalMs);
      }
    }
    return { loadMs, growMs, times, cores: navigator.hardwareConcurrency };
  }, { name, threads: Number(threads), rounds: Number(rounds), documents: mixedDocuments(100, [8, 20, 40, 80, 160]) });
  const { one, several } = result.times;
  console.log(`${name}, 100 documents of 8 to 160 words, ${result.cores} cores, load average ${before.toFixed(1)} before and ${loadavg()[0].toFixed(1)} after`);
  console.log(`  1 worker   ${show(one)}`);
  console.log(`  ${threads} workers  ${show(several)}`);
  console.log(`  ratio      ${(median(one) / median(several)).toFixed(2)}`);
  console.log(`  first worker ready after ${result.loadMs.toFixed(0)} ms, the others ${result.growMs.toFixed(0)} ms later`);
} finally {
  for (const end of ends.reverse()) await end();
}
