// Measures for how long the page's own thread is held up at a time, and by how much this machine holds up a page that does nothing;
// asserts nothing.
//   node tests/browser/held-up.mjs [rounds]
// A timer that is always due runs in the page at work and, at the same time, in a second one of another process: what both see is the
// machine's. Longest gaps of each round.
import { loadavg } from "node:os";
import { launch } from "./chromium.mjs";
import { blankRoutes, chooseServed } from "./page.mjs";
import { makePdf } from "./pdf.mjs";
import { answer, startServer } from "./server.mjs";
import { bookPages, sections } from "./texts.mjs";

const rounds = Number(process.argv[2] ?? 3);
/** Starts the timer; `stop()` in the page gives the longest gap. */
const watch = (page) => page.evaluate(() => {
  let [longest, last] = [0, performance.now()];
  const look = () => { const now = performance.now(); longest = Math.max(longest, now - last); last = now; };
  const timer = setInterval(look, 1);
  globalThis.stop = () => { clearInterval(timer); look(); return longest; };
});

async function give(page, name) {
  await chooseServed(page, `/${name}`, [name]);
  await page.waitForFunction(() => document.querySelector("#jobs").childElementCount === 0, undefined, { polling: 500 });
}

const demo = async (page) => {
  await page.goto(`${server.url}/demo/?device=cpu`);
  await page.waitForSelector("#list li", { state: "attached" });
};

const WORK = {
  "10,000 documents added to an index, 10 searches": {
    prepare: async (page) => {
      await page.goto(`${server.url}/test.html`);
      await page.evaluate(async () => {
        const { Index } = await import("/index.js");
        globalThis.index = await Index.open({ name: "pages" });
        globalThis.documents = Array.from({ length: 10_000 }, (_, at) => ({
          id: `d${at}`, text: `n${at} ${Array.from({ length: 60 }, (_, word) => `word${(at * (7 + 13 * word)) % 2999}`).join(" ")}`,
        }));
      });
    },
    work: (page) => page.evaluate(async () => {
      await index.add(documents);
      for (let at = 0; at < 10; at += 1) await index.search(`n${at * 999} word7`);
    }),
  },
  "60 pages ranked in the demo": {
    prepare: async (page) => {
      await demo(page);
      await give(page, "many.md");
    },
    work: async (page) => {
      await page.click("#run");
      await page.waitForSelector("#list.ranked li");
    },
  },
  "a PDF of 300 pages read in the demo": { prepare: demo, work: (page) => give(page, "book.pdf") },
};

const server = await startServer({ ...blankRoutes, "/many.md": answer(sections(60, 12), "text"), "/book.pdf": answer(makePdf(bookPages(300)), "pdf") });
const browsers = [await launch({ webgpu: false }), await launch({ webgpu: false })];
try {
  console.log(`load average ${loadavg()[0].toFixed(1)}`);
  for (const [name, { prepare, work }] of Object.entries(WORK)) {
    const gaps = [];
    for (let round = 0; round < rounds; round += 1) {
      const contexts = await Promise.all(browsers.map((browser) => browser.newContext()));
      const [page, idle] = await Promise.all(contexts.map((context) => context.newPage()));
      page.setDefaultTimeout(300_000);
      await idle.goto(`${server.url}/test.html`);
      await prepare(page);
      for (const each of [page, idle]) await watch(each);
      await work(page);
      gaps.push(await Promise.all([page, idle].map((each) => each.evaluate(() => globalThis.stop()))));
      await Promise.all(contexts.map((context) => context.close()));
    }
    console.log(`${name}: ${gaps.map(([own, others]) => `${own.toFixed(0)} ms (idle page ${others.toFixed(0)} ms)`).join(", ")}`);
  }
} finally {
  for (const browser of browsers) await browser.close();
  await server.close();
}
