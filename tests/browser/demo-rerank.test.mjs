// The view "Rerank" as a reader meets it: first click on the sample at every size, questions, keyboard, cancel, errors; screenshots.
// Ranking uses the real model on the CPU.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { MINUTES, TINY, artefacts, ask, bring, file, labels, openDemo, ranked, scrollsSideways } from "./demo-page.mjs";
import { refuseWasm } from "./page.mjs";
import { browser, server } from "./set-up.mjs";
import { sections } from "./texts.mjs";

test("the first click ranks the sample sensibly, and the pages look right at every size", { timeout: 10 * MINUTES }, async (t) => {
  const page = await openDemo(t, "device=cpu");
  const shift = await page.evaluate(() => new Promise((resolve) => {
    let sum = 0;
    new PerformanceObserver((list) => { for (const { value } of list.getEntries()) sum += value; }).observe({ type: "layout-shift", buffered: true });
    setTimeout(() => resolve(sum), 300);
  }));
  assert.equal(shift, 0, "nothing moves while the page loads");
  const everySize = async (name) => {
    for (const scheme of ["light", "dark"]) {
      for (const width of [360, 820, 1440]) {
        await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
        await page.setViewportSize({ width, height: width < 500 ? 780 : 900 });
        assert.equal(await scrollsSideways(page), false, `${name} scrolls sideways at ${width} px`);
        await page.screenshot({ path: join(artefacts, `rerank-${name}-${width}-${scheme}.png`) });
      }
    }
  };
  await everySize("start");
  await page.click("#run");
  await ranked(page);
  assert.equal((await labels(page))[0], "The footbridge at Miller's Weir");
  assert.ok(Number((await page.locator("#list .score").first().textContent()).replace(/[^\d.]/g, "")) > 0.5);
  assert.equal(await page.textContent("#badge"), "CPU");
  assert.match(await page.textContent("#reason"), /^The CPU was asked for$/);
  assert.match(await page.textContent("#facts"), /14 pages in .* on the CPU: [\d,]+ tokens in \d+ batch/);
  assert.match(await page.textContent("#status"), /Done\. 14 pages ranked; the best is The footbridge/);
  await everySize("ranked");
  await page.setViewportSize({ width: 360, height: 780 });
  await page.locator("#list button").first().click();
  assert.equal(await page.locator("#results").isVisible(), false, "on a phone the page covers the list");
  await everySize("page");
  assert.ok(await page.locator("#sheet mark").count() > 0);
  assert.match(await page.textContent("#sheet"), /1\.34 million crowns/);
});

test("other questions find their sections too, by example and by keyboard", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, "device=cpu");
  for (const [question, section] of [["Why is the pool closed in winter?", "The swimming pool"], ["What can I do with an old sofa?", "Rubbish and recycling"], ["When can I ask the council a question?", "What comes next"]]) {
    await ask(page, question);
    assert.match(await page.textContent("#status"), new RegExp(`the best is ${section}\\.$`));
    assert.equal((await labels(page))[0], section);
  }
  await page.locator("#list button").first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.equal(await page.textContent("#reader-label"), (await labels(page))[1]);
  assert.equal(await page.locator("#list button").nth(1).getAttribute("aria-current"), "true");
});

test("the page's own thread scores nothing: it has no WASM, and writes the ranking once", { timeout: 5 * MINUTES }, async (t) => {
  const context = await browser.newContext();
  await context.addInitScript(refuseWasm);
  t.after(() => context.close());
  const page = await openDemo(t, "device=cpu", { context });
  await bring(page, file("many.md", sections(60, 12)));
  await page.evaluate(() => {
    globalThis.rows = 0;
    globalThis.turns = 0;
    const count = (nodes) => Array.from(nodes).filter((node) => node.matches?.("li")).length;
    new MutationObserver((records) => { for (const { addedNodes } of records) globalThis.rows += count(addedNodes); }).observe(document.querySelector("#list"), { childList: true });
    // Between two batches the page can do something else.
    new MutationObserver(() => { globalThis.turns += 1; }).observe(document.querySelector("#work"), { childList: true, subtree: true, attributes: true, characterData: true });
  });
  await page.click("#run");
  await ranked(page);
  assert.match(await page.textContent("#facts"), /^60 pages/);
  const { rows, turns } = await page.evaluate(() => ({ rows: globalThis.rows, turns: globalThis.turns }));
  t.diagnostic(`${rows} rows written, progress shown ${turns} times`);
  assert.ok(rows <= 120 && turns > 3, `${rows} rows, ${turns}`);
});

test("?threads= sets the number of workers, and the page says how many there are", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, `${TINY}&threads=3`);
  for (let turn = 0; turn < 20 && !/, 3 workers$/.test(await page.textContent("#model-info")); turn += 1) await ask(page, `bridge ${turn}`);
  assert.match(await page.textContent("#model-info"), /^Model tiny-cross-encoder, .*, 3 workers$/);
});

test("cancel stops a ranking, and the next one works", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, "device=cpu");
  await bring(page, file("many.md", sections(300, 25)));
  await page.click("#run");
  await page.waitForFunction(() => /batch [1-9]/.test(document.querySelector("#work .work-label").textContent));
  await page.screenshot({ path: join(artefacts, "rerank-scoring.png") });
  assert.equal(await page.locator("#run").isVisible(), false);
  await page.click("#cancel");
  await page.waitForSelector("#run");
  assert.equal(await page.textContent("#status"), "Cancelled.");
  assert.equal(await page.locator("#list.ranked").count(), 0);
  await page.click(".doc-remove");
  await page.getByRole("button", { name: "Use the sample document" }).click();
  await page.click("#run");
  await ranked(page);
  assert.equal((await labels(page))[0], "The footbridge at Miller's Weir");
});

test("an error is told in words: a model that is not there, and no question", async (t) => {
  const page = await openDemo(t, TINY);
  await page.fill("#query", "  ");
  await page.click("#run");
  assert.equal(await page.textContent("#error"), "Type a question first.");
  server.routes["/models/tiny-cross-encoder/model.json"] = (_request, response) => response.destroy();
  t.after(() => { delete server.routes["/models/tiny-cross-encoder/model.json"]; });
  await page.fill("#query", "bridge");
  // The browser itself logs the failed request; that is no fault of the page.
  page.removeAllListeners("console");
  await page.click("#run");
  await page.waitForFunction(() => /did not work: model\.json could not be downloaded/.test(document.querySelector("#error").textContent));
  assert.equal(await page.locator("#run").isVisible(), true);
});

test("a page without WebGPU ranks on the CPU and says why", { timeout: 5 * MINUTES }, async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  await context.addInitScript(() => Object.defineProperty(Navigator.prototype, "gpu", { value: undefined }));
  const page = await openDemo(t, "model=../models/tiny-cross-encoder/", { context });
  await page.click("#run");
  await ranked(page);
  assert.equal(await page.textContent("#badge"), "CPU");
  assert.match(await page.textContent("#reason"), /WebGPU/);
});
