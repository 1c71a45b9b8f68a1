// What the tests of the demo page share: the page opened in a fresh context, and a folder for screenshots.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { before } from "node:test";
import { dist } from "./server.mjs";
import { browser, server } from "./set-up.mjs";

export const artefacts = process.env.FOLIORANK_ARTEFACTS ?? join(dist, "artefacts");
export const MINUTES = 60_000;

before(() => mkdirSync(artefacts, { recursive: true }));

/** The demo in a fresh context. Uncaught errors, console errors and requests to anywhere else fail the test. */
export async function openDemo(t, query, { width = 1280, scheme = "light", context: given } = {}) {
  const context = given ?? await browser.newContext({ viewport: { width, height: 860 }, colorScheme: scheme });
  const page = await context.newPage();
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  // DOMParser announces inline handlers in a read file although it would never run them.
  const harmless = /^Executing inline event handler violates/;
  page.on("console", (message) => { if (message.type() === "error" && !harmless.test(message.text())) wrong.push(message.text()); });
  page.on("request", (request) => { if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(server.url)) wrong.push(request.url()); });
  page.setDefaultTimeout(2 * MINUTES);
  t.after(async () => {
    await (given ? page : context).close();
    assert.deepEqual(wrong, []);
  });
  await page.goto(`${server.url}/demo/?${query}`);
  await page.waitForSelector("#list li");
  return page;
}

export const ranked = (page) => page.waitForSelector("#list.ranked li");
