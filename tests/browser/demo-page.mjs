// What the tests of the demo page share: the page opened in a fresh context, files for it, and a folder for screenshots.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { before } from "node:test";
import { dist } from "./server.mjs";
import { browser, server } from "./set-up.mjs";

export const artefacts = process.env.FOLIORANK_ARTEFACTS ?? join(dist, "artefacts");
export const MINUTES = 60_000;
/** For pages that need no sensible ranking. */
export const TINY = "device=cpu&model=../models/tiny-cross-encoder/";

before(() => mkdirSync(artefacts, { recursive: true }));

/** Makes uncaught errors, console errors and requests to anywhere else fail the test. */
export function watch(t, page) {
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  // DOMParser announces inline handlers in a read file although it would never run them.
  const harmless = /^Executing inline event handler violates/;
  page.on("console", (message) => { if (message.type() === "error" && !harmless.test(message.text())) wrong.push(message.text()); });
  page.on("request", (request) => { if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(server.url)) wrong.push(request.url()); });
  return () => assert.deepEqual(wrong, []);
}

/** The demo in a fresh context. */
export async function openDemo(t, query, { width = 1280, scheme = "light", context: given } = {}) {
  const context = given ?? await browser.newContext({ viewport: { width, height: 860 }, colorScheme: scheme });
  const page = await context.newPage();
  const check = watch(t, page);
  page.setDefaultTimeout(2 * MINUTES);
  t.after(async () => {
    await (given ? page : context).close();
    check();
  });
  await page.goto(`${server.url}/demo/?${query}`);
  await page.waitForSelector("#list li", { state: "attached", timeout: MINUTES / 2 });
  return page;
}

export const ranked = (page) => page.waitForSelector("#list.ranked li");
export const labels = (page) => page.locator("#list .row-label").allTextContents();
export const file = (name, body, mimeType = "text/plain") => ({ name, mimeType, buffer: Buffer.from(body) });

/** Gives the page files and waits until they are read. */
export async function bring(page, ...files) {
  await page.setInputFiles("#files", files);
  await page.waitForFunction(() => document.querySelector("#jobs").childElementCount === 0);
}

/** Does something and waits until the work that it starts is done; `work` is where its progress is shown. */
export async function finish(page, work, start) {
  const before = await page.locator(work).evaluate(({ dataset }) => Number(dataset.done ?? 0));
  await start();
  await page.waitForFunction(([work, before]) => Number(document.querySelector(work).dataset.done ?? 0) > before, [work, before]);
}

/** Asks for a ranking, and waits until it stands there. */
export async function ask(page, question) {
  await page.fill("#query", question);
  await finish(page, "#work", () => page.press("#query", "Enter"));
}

export const visit = async (page, view) => {
  await page.click(`.views a[href="#${view}"]`);
  await page.waitForSelector(`[data-view="${view}"]:visible`);
};
export const scrollsSideways = (page) => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
