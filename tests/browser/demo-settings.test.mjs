// The view "Settings", every view under axe-core, and the page without a network.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { axeContext, violations } from "./axe.mjs";
import { MINUTES, TINY, artefacts, ask, bring, file, finish, labels, openDemo, ranked, scrollsSideways, visit, watch } from "./demo-page.mjs";
import { browser, server } from "./set-up.mjs";

test("no view has a serious violation of accessibility, in light and dark, wide and on a phone", { timeout: 5 * MINUTES }, async (t) => {
  const context = await axeContext(t);
  const page = await openDemo(t, `${TINY}&bench#rerank`, { context });
  await page.getByRole("button", { name: "a PDF" }).click();
  await page.waitForFunction(() => document.querySelector("#library-count").textContent === "2 documents, 18 pages");
  await page.click("#run");
  await ranked(page);
  // The measure works: a button without a name is a violation.
  await page.evaluate(() => document.querySelector("#facts").append(document.createElement("button")));
  assert.match((await violations(page)).join(), /button-name/);
  await page.evaluate(() => document.querySelector("#facts button").remove());
  const views = await page.locator(".views a").evaluateAll((links) => links.map(({ hash }) => hash.slice(1)));
  assert.deepEqual(views, ["rerank", "negatives", "ask", "compare", "settings", "bench"]);
  // With something in it that could be wrong.
  const fill = {
    negatives: () => finish(page, "#neg-work", () => page.click("#neg-run")),
    ask: async () => {
      await page.selectOption("#threshold", "0");
      await finish(page, "#ask-work", () => page.click("#ask-run"));
    },
    compare: async () => {
      await page.selectOption("#model-b", { index: 0 });
      await finish(page, "#compare-work", () => page.click("#compare-run"));
    },
    bench: () => finish(page, "#bench-work", () => page.click("#bench-run")),
  };
  for (const view of views) {
    await visit(page, view);
    await fill[view]?.();
    for (const scheme of ["light", "dark"]) {
      for (const width of [360, 820, 1440]) {
        await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
        await page.setViewportSize({ width, height: width < 500 ? 780 : 900 });
        assert.equal(await scrollsSideways(page), false, `${view} scrolls sideways at ${width} px`);
        await page.evaluate(() => scrollTo(0, 0));
        await page.screenshot({ path: join(artefacts, `view-${view}-${width}-${scheme}.png`) });
        if (width !== 820) assert.deepEqual(await violations(page), [], `${view} ${scheme} ${width}`);
      }
    }
  }
});

test("what is chosen is used, and kept for the next visit", { timeout: 5 * MINUTES }, async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await openDemo(t, "", { context });
  await visit(page, "settings");
  await page.check("input[name=model][value=all-minilm-l6-v2]");
  await page.check("input[name=device][value=cpu]");
  await page.check("input[name=threads][value='1']");
  await page.check("input[name=theme][value=dark]");
  await page.fill("#window", "32");
  await page.fill("#overlap", "40");
  await page.press("#overlap", "Enter");
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(20, 20, 18)");
  await visit(page, "rerank");
  // The overlap is larger than the window, and the package says so.
  await page.click("#run");
  await page.waitForFunction(() => /overlap/.test(document.querySelector("#error").textContent));
  await visit(page, "settings");
  await page.fill("#overlap", "");
  await page.press("#overlap", "Enter");
  await visit(page, "rerank");
  const filler = "The town keeps a record of everything that happens in its streets and gardens. ".repeat(19);
  await bring(page, file("pool.md", `# The meadow\n\nCows.\n\n# The pool\n\n${filler}The pool is closed in winter because its boiler is too old.`));
  await ask(page, "Why is the pool closed in winter?");
  assert.equal((await labels(page))[0], "The pool");
  assert.match(await page.textContent("#model-info"), /^Model all-minilm-l6-v2, Apache-2\.0$/);
  assert.ok(await page.locator("#sheet:not(.whole) mark").count() > 0, "a window is only a part of the page");
  assert.ok((await page.textContent("#sheet mark")).length < 250, "a window of 32 tokens is short");

  const again = await openDemo(t, "", { context });
  await visit(again, "settings");
  assert.deepEqual(await again.locator("[data-view=settings] input:checked").evaluateAll((inputs) => inputs.map(({ name, value }) => `${name} ${value}`)), [
    "model all-minilm-l6-v2", "device cpu", "threads 1", "theme dark",
  ]);
  assert.equal(await again.inputValue("#window"), "32");
  assert.match(await again.textContent("#about-list"), /mammoth1\.\d+\.\d+, BSD-2-Clause/);
});

test("what is stored is listed and can be cleared", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, TINY);
  await page.click("#run");
  await ranked(page);
  await visit(page, "ask");
  await finish(page, "#ask-work", () => page.click("#ask-run"));
  await visit(page, "settings");
  await page.waitForFunction(() => /Model tiny-cross-encoder/.test(document.querySelector("#storage-list").textContent));
  assert.match(await page.textContent("#storage-list"), /Model tiny-cross-encoder3 files, \d\.\d MB/);
  assert.match(await page.textContent("#storage-note"), /The browser counts \d+\.\d MB/);
  await page.getByRole("button", { name: "Clear Model tiny-cross-encoder" }).click();
  await page.waitForFunction(() => !/tiny-cross-encoder/.test(document.querySelector("#storage-list").textContent));
  assert.deepEqual(await page.evaluate(async () => (await (await caches.open("foliorank-v1")).keys()).length), 0);
  assert.match(await page.textContent("#storage-list"), /Index of the library \(demo\)/);
  await page.getByRole("button", { name: "Clear everything" }).click();
  await page.waitForFunction(() => document.querySelector("#storage-list").childElementCount === 0);
  assert.deepEqual(await page.evaluate(() => indexedDB.databases()), []);
  // And it still works.
  await visit(page, "ask");
  await finish(page, "#ask-work", () => page.click("#ask-run"));
  assert.equal(await page.textContent("#ask-error"), "");
});

test("with the browser's storage full the page ranks all the same, and says what cannot be kept", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, TINY);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Storage.overrideQuotaForOrigin", { origin: server.url, quotaSize: 100 });
  await page.click("#run");
  await ranked(page);
  await visit(page, "ask");
  await finish(page, "#ask-work", () => page.click("#ask-run"));
  assert.match(await page.textContent("#ask-error"), /did not work: .*no more space/);
  await devtools.send("Storage.overrideQuotaForOrigin", { origin: server.url });
  await finish(page, "#ask-work", () => page.click("#ask-run"));
  assert.equal(await page.textContent("#ask-error"), "");
});

test("after the first ranking the page works without a network, and after Settings all of it does", { timeout: 5 * MINUTES }, async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const check = watch(t, page);
  page.setDefaultTimeout(2 * MINUTES);
  await page.goto(`${server.url}/demo/?${TINY}`);
  await page.click("#run");
  await ranked(page);
  await page.waitForFunction(async () => {
    const cache = await caches.open("foliorank-demo-v1");
    return Boolean(await cache.match(new URL("../wasm/cpu/foliorank_bg.wasm", location.href)));
  });
  await visit(page, "settings");
  await page.click("#offline-all");
  await page.waitForFunction(() => /^Everything is here/.test(document.querySelector("#offline-note").textContent));
  check();

  page.removeAllListeners("console");
  // Playwright's own switch does not reach what a service worker fetches.
  server.stop();
  t.after(() => server.resume());
  await page.goto(`${server.url}/demo/?${TINY}`);
  await page.click("#run");
  await ranked(page);
  assert.equal((await labels(page)).length, 14);
  await page.getByRole("button", { name: "a PDF" }).click();
  await page.waitForFunction(() => document.querySelector("#library-count").textContent === "2 documents, 18 pages");
  await page.waitForFunction(() => document.querySelectorAll(".tile-face img").length === 4);
  await page.getByRole("button", { name: "a photographed notice" }).click();
  await page.waitForFunction(() => document.querySelector("#library-count").textContent === "3 documents, 19 pages");
});

test("?bench measures the model on this machine", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, `${TINY}&bench`);
  await page.waitForSelector("#bench-run:visible");
  await finish(page, "#bench-work", () => page.click("#bench-run"));
  assert.equal(await page.textContent("#bench-note"), "");
  const rows = await page.locator("#bench-table tbody tr").evaluateAll((found) => found.map(({ cells }) => [...cells].map(({ textContent }) => textContent)));
  assert.deepEqual(rows.map(([device, work]) => `${device} ${work}`), ["CPU 1 page", "CPU 14 pages", "CPU 56 pages"]);
  assert.ok(rows.every(([, , , pages, tokens]) => Number(pages) > 0 && Number(tokens) > Number(pages)));
});
