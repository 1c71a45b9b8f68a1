// One browser and one server: opens pages, runs contenders turn by turn, and returns every time and the last scores.
// What is run is plan.mjs's business, what is made of the times results.mjs's.
import { launch } from "../tests/browser/chromium.mjs";
import { turns } from "./plan.mjs";
import { startServer } from "./server.mjs";

/** Threads of a peer go on spinning for a moment after their answer. */
const PAUSE_MS = 300;
const pause = () => new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });

const empty = (contenders) => Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));

function note(samples, name, ms) {
  samples[name].push(ms);
  console.log(`  ${name}: ${(ms / 1000).toFixed(3)} s`);
}

/** `models` is the folder that export_onnx.py filled. */
export async function startBench(models) {
  const server = await startServer(models);
  const browser = await launch();

  /** A page in a context of its own, or one more page of a context (which has the same caches). */
  async function openPage(context) {
    const page = await (context ?? await browser.newContext()).newPage();
    page.setDefaultTimeout(300_000);
    page.on("pageerror", (error) => console.error(`page: ${error.message}`));
    page.on("console", (message) => { if (message.type() === "error") console.error(`page: ${message.text()}`); });
    await page.goto(`${server.url}/bench/index.html`);
    await page.waitForFunction(() => document.title === "ready");
    return page;
  }

  /** Everything loaded in one page; an unmeasured run of each, then turns. */
  async function warm(contenders, work, rounds) {
    const page = await openPage();
    const [samples, scores] = [empty(contenders), {}];
    // Enough to compile, and to allocate for the largest batch; the long workloads are not run twice for it.
    const little = { ...work, documents: work.documents.slice(0, 16).map((text) => text.slice(0, 20_000)) };
    for (const [name, contender] of Object.entries(contenders)) {
      await page.evaluate(([name, contender, work]) => bench.open(name, contender, work), [name, contender, work]);
      await page.evaluate(([name, work]) => bench.run(name, work), [name, work.pretokenised ? work : little]);
    }
    for (const name of turns(Object.keys(contenders), rounds)) {
      await pause();
      const done = await page.evaluate(([name, work]) => bench.run(name, work), [name, work]);
      if (work.tokens && done.usage && done.usage.tokens !== work.tokens) throw new Error(`expected ${work.tokens} tokens, ours counted ${done.usage.tokens}`);
      note(samples, name, done.ms);
      scores[name] = done.scores;
    }
    await page.context().close();
    return { samples, scores };
  }

  /** Every start in a fresh page of one context, whose caches the first, unmeasured start of each fills. */
  async function cold(contenders, work, rounds) {
    const context = await browser.newContext();
    const [samples, scores, names] = [empty(contenders), {}, Object.keys(contenders)];
    for (const [turn, name] of [...names, ...turns(names, rounds)].entries()) {
      const page = await openPage(context);
      await pause();
      const done = await page.evaluate(([contender, work]) => bench.cold(contender, work), [contenders[name], work]);
      await page.close();
      if (turn >= names.length) note(samples, name, done.ms);
      scores[name] = done.scores;
    }
    await context.close();
    return { samples, scores };
  }

  /** What the page says of itself; `adapter` is null where there is none. */
  async function environment() {
    const page = await openPage();
    const found = await page.evaluate(async () => ({ ...bench.environment(), adapter: await bench.adapter() }));
    await page.context().close();
    if (!found.crossOriginIsolated) throw new Error("the page is not cross-origin isolated: peers would have no threads");
    return { ...found, browser: browser.version() };
  }

  const close = async () => {
    await browser.close();
    await server.close();
  };
  return { openPage, warm, cold, environment, close };
}
