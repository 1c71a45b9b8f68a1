// Measures a first visit to the demo: what is downloaded until the page stands, and until the first ranking does; then a second visit, and
// one without a server. Not a test. Prints one JSON object.
//   node tests/browser/first-visit.mjs [query of the address, default device=cpu]
import { launch } from "./chromium.mjs";
import { startServer } from "./server.mjs";

const query = process.argv[2] ?? "device=cpu";
const server = await startServer();
const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });

/** Bytes of bodies as the server has sent them, by kind. The server compresses nothing; a host that does sends about a third of the code. */
const sent = [];
const { end, write } = (await import("node:http")).ServerResponse.prototype;
const count = (response, chunk) => {
  if (chunk && typeof chunk !== "function") sent.push({ path: new URL(response.req.url, server.url).pathname, bytes: chunk.length });
};
Object.assign((await import("node:http")).ServerResponse.prototype, {
  write(chunk, ...rest) {
    count(this, chunk);
    return write.call(this, chunk, ...rest);
  },
  end(chunk, ...rest) {
    count(this, chunk);
    return end.call(this, chunk, ...rest);
  },
});
const kinds = [["model", /^\/models\//], ["wasm", /\/wasm\//], ["demo", /^\/demo\//], ["package", /\.js$/]];
function takeBytes() {
  const sums = {};
  for (const { path, bytes } of sent.splice(0)) {
    const [kind] = kinds.find(([, pattern]) => pattern.test(path)) ?? ["other"];
    sums[kind] = (sums[kind] ?? 0) + bytes;
  }
  return { ...sums, all: Object.values(sums).reduce((sum, bytes) => sum + bytes, 0) };
}

async function visit() {
  const page = await context.newPage();
  const begun = performance.now();
  await page.goto(`${server.url}/demo/?${query}`);
  await page.waitForSelector("#list li", { state: "attached" });
  const usableMs = Math.round(performance.now() - begun);
  await page.waitForLoadState("networkidle");
  const usableBytes = takeBytes();
  const paint = await page.evaluate(() => Math.round(performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0));
  const shift = await page.evaluate(() => new Promise((resolve) => {
    let sum = 0;
    new PerformanceObserver((list) => { for (const { value } of list.getEntries()) sum += value; }).observe({ type: "layout-shift", buffered: true });
    setTimeout(() => resolve(Math.round(sum * 1e4) / 1e4), 300);
  }));
  const clicked = performance.now();
  await page.click("#run");
  await page.waitForSelector("#list.ranked li");
  const rankedMs = Math.round(performance.now() - clicked);
  const facts = await page.textContent("#facts");
  await page.click("#run");
  const again = performance.now();
  await page.waitForFunction(() => Number(document.querySelector("#work").dataset.done) === 2);
  const againMs = Math.round(performance.now() - again);
  await page.waitForTimeout(1000);
  const rankedBytes = takeBytes();
  await page.close();
  return { paint, usableMs, usableBytes, shift, rankedMs, rankedBytes, againMs, facts };
}

const first = await visit();
const second = await visit();
server.stop();
const offline = await visit();
console.log(JSON.stringify({ query, first, second, offline }, null, 1));
await browser.close();
await server.close();
