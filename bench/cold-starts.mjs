// Compares cold starts of builds of the package: from a page that stands to the first score, the weights in the Cache API. Medians, and
// their ratio to the first one's.
//   node bench/cold-starts.mjs DIST... [--rounds 15] [--threads 1]
// Builds take turns, backwards every second round, each with caches of its own; the first start of each fills them and is not measured.
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { launch } from "../tests/browser/chromium.mjs";
import { blankRoutes } from "../tests/browser/page.mjs";
import { startServer } from "../tests/browser/server.mjs";
import { turns } from "./plan.mjs";
import { median, range } from "./results.mjs";

const { values, positionals: builds } = parseArgs({
  allowPositionals: true, options: { rounds: { type: "string", default: "15" }, threads: { type: "string", default: "1" } },
});
if (builds.length === 0) throw new Error("expected folders with builds (www/dist), found none");

/** Milliseconds in a fresh page. */
async function start(context, server) {
  const page = await context.newPage();
  await page.goto(`${server.url}/test.html`);
  await page.waitForFunction(() => document.title === "ready");
  const ms = await page.evaluate(async (threads) => {
    const begun = performance.now();
    const reranker = await Reranker.load({ model: model("ms-marco-minilm-l12-v2"), device: "cpu", threads });
    await reranker.rerank("How many people live in Berlin?", ["Berlin has a population of 3,520,031."]);
    return performance.now() - begun;
  }, Number(values.threads));
  await page.close();
  return ms;
}

const browser = await launch({ webgpu: false });
const sides = await Promise.all(builds.map(async (dist) => ({ dist, server: await startServer(blankRoutes, dist), context: await browser.newContext(), times: [] })));
try {
  console.log(`load average ${loadavg()[0].toFixed(1)}`);
  for (const { context, server } of sides) await start(context, server);
  for (const side of turns(sides, Number(values.rounds))) side.times.push(await start(side.context, side.server));
  for (const { dist, times } of sides) {
    const [least, most] = range(times);
    console.log(`${dist}: ${median(times).toFixed(0)} ms (${least.toFixed(0)} to ${most.toFixed(0)}), ${(median(sides[0].times) / median(times)).toFixed(2)} times as fast`);
  }
} finally {
  await browser.close();
  for (const { server } of sides) await server.close();
}
