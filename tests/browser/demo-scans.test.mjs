// Scanned PDFs: pages that are pictures are read by OCR, and only those; what is read is found where it stands, can be stopped, and costs
// the pages beside it nothing.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { MINUTES, TINY, artefacts, bring, file, finish, labels, openDemo, scrollsSideways } from "./demo-page.mjs";
import { makePdf } from "./pdf.mjs";
import { answer } from "./server.mjs";
import { server } from "./set-up.mjs";

const NOTICE = { width: 760, height: 560, jpeg: readFileSync(join(dirname(fileURLToPath(import.meta.url)), "../../www/demo/samples/notice.jpg")) };
/** Of a page at 144 dots per inch. */
const [WIDTH, HEIGHT, FIRST, STEP] = [1224, 1584, 160, 46];

/** A picture as large as a page, with these lines of text on it, as a scanner would give it: turned clockwise by so many degrees. */
async function scanned(page, lines, degrees = 0) {
  const data = await page.evaluate(async ({ lines, degrees, WIDTH, HEIGHT, FIRST, STEP }) => {
    const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
    const context = canvas.getContext("2d");
    context.fillStyle = "#f6f3ea";
    context.fillRect(0, 0, WIDTH, HEIGHT);
    context.fillStyle = "#222";
    context.font = "28px sans-serif";
    context.translate(WIDTH / 2, HEIGHT / 2);
    context.rotate((degrees * Math.PI) / 180);
    context.translate(-WIDTH / 2, -HEIGHT / 2);
    for (const [place, line] of lines.entries()) context.fillText(line, 110, FIRST + place * STEP);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 })).arrayBuffer());
    return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  }, { lines, degrees, WIDTH, HEIGHT, FIRST, STEP });
  return { width: WIDTH, height: HEIGHT, jpeg: Buffer.from(data, "latin1") };
}

/** Everything that is said of the file being read, from now on. */
const listen = (page) => page.evaluate(() => {
  globalThis.told = new Set();
  new MutationObserver(() => globalThis.told.add(document.querySelector(".job-what")?.textContent ?? ""))
    .observe(document.querySelector("#jobs"), { subtree: true, childList: true, characterData: true });
});
const ocrWorkers = (page) => page.workers().filter((worker) => worker.url().includes("/ocr/"));

/** Where the marked part of the page's picture is, in shares of its height. */
async function marked(page) {
  await page.waitForSelector("#dialog-sheet .highlight");
  await page.waitForFunction(() => document.querySelector("#dialog-sheet .picture img")?.naturalWidth > 300);
  return page.evaluate(() => {
    const [frame, ...marks] = ["#dialog-sheet .picture", "#dialog-sheet .highlight"].flatMap((selector) => [...document.querySelectorAll(selector)].map((element) => element.getBoundingClientRect()));
    return { top: (Math.min(...marks.map(({ top }) => top)) - frame.top) / frame.height, bottom: (Math.max(...marks.map(({ bottom }) => bottom)) - frame.top) / frame.height };
  });
}

test("the scanned pages of a PDF are read by OCR, only those, and a passage is marked on the page, also at the next visit", { timeout: 8 * MINUTES }, async (t) => {
  const page = await openDemo(t, "device=cpu#ask");
  const filler = (word) => Array.from({ length: 10 }, (_, line) => `Line ${line} of the ${word} section says nothing that anybody would look for.`);
  const target = "The lighthouse was built in 1871 and is 33 metres tall.";
  await listen(page);
  await bring(page, file("mixed.pdf", makePdf(
    [["The ferry to the mill island runs every twenty minutes", "until ten in the evening."], [], [], ["4"], []],
    { pictures: [{ on: 1, ...await scanned(page, [...filler("first"), target, ...filler("last")]) }, { on: 3, ...NOTICE }, { on: 4, ...await scanned(page, ["- - - - -"]) }] },
  ), "application/pdf"));
  assert.deepEqual(await page.locator(".tile-label").allTextContents(), ["Page 1", "Page 2", "Page 4"]);
  assert.equal(await page.textContent("#problems"), "mixed.pdf: no words were found on pages 3, 5, which cannot be ranked.");
  const told = await page.evaluate(() => [...globalThis.told]);
  const pictured = new Set(told.flatMap((text) => /^Page (\d) of 5 is a picture\. (?:Reading the text|Starting)/.exec(text)?.[1] ?? []));
  assert.deepEqual([...pictured], ["2", "4", "5"], told.join("\n"));

  const look = async () => {
    await page.selectOption("#mode", "bm25");
    for (const [question, words, source] of [["What do the keys cost?", /Keys cost 15 crowns/, /Page 4/], ["How tall is the lighthouse?", /^The lighthouse was built in 1871 and is 33 metres tall\.$/, /Page 2/]]) {
      await page.fill("#question", question);
      await finish(page, "#ask-work", () => page.click("#ask-run"));
      assert.match(await page.locator(".quote mark").first().textContent(), words);
      assert.match(await page.locator(".quote-foot .link").first().textContent(), source);
    }
    await page.locator(".quote-foot .link").first().click();
    await page.check("#dialog-looks input[value=picture]");
    const place = await marked(page);
    // The eleventh of 21 lines: its letters are 20 pixels high, and it alone is marked.
    const line = (FIRST + 10 * STEP - 10) / HEIGHT;
    assert.ok(place.top < line && line < place.bottom && place.bottom - place.top < (1.5 * STEP) / HEIGHT, JSON.stringify({ place, line }));
  };
  await look();
  await page.screenshot({ path: join(artefacts, "scan-marked.png") });
  await page.reload();
  await page.waitForFunction(() => document.querySelector("#library-count").textContent === "1 document, 3 pages");
  await look();
});

test("a page that was laid askew on the scanner is read, and its passages are marked where they are", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, "device=cpu#ask");
  const filler = (word) => Array.from({ length: 8 }, (_, line) => `Line ${line} of the ${word} section says nothing that anybody would look for.`);
  const picture = await scanned(page, [...filler("first"), "The old windmill has 4 sails.", ...filler("last")], 3);
  await bring(page, file("askew.pdf", makePdf([[]], { pictures: [{ on: 0, ...picture }] }), "application/pdf"));
  await page.selectOption("#mode", "bm25");
  await page.selectOption("#threshold", "0");
  await page.fill("#question", "How many sails has the windmill?");
  await finish(page, "#ask-work", () => page.click("#ask-run"));
  assert.equal(await page.locator(".quote mark").first().textContent(), "The old windmill has 4 sails.");
  await page.locator(".quote-foot .link").first().click();
  const { top, bottom } = await marked(page);
  await page.screenshot({ path: join(artefacts, "scan-askew.png") });
  // The middle of its letters, which reach from 110 to about 490 before they are turned.
  const [x, y] = [300 - WIDTH / 2, FIRST + 8 * STEP - 9 - HEIGHT / 2];
  const middle = (x * Math.sin(Math.PI / 60) + y * Math.cos(Math.PI / 60)) / HEIGHT + 0.5;
  assert.ok(Math.abs((top + bottom) / 2 - middle) < 10 / HEIGHT, JSON.stringify({ top, bottom, middle }));
});

test("reading a scan can be cancelled, which ends its OCR, and the pixels of a page are gone before the next is drawn", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, TINY);
  const lines = Array.from({ length: 12 }, (_, line) => `Line ${line} is about the bridge over the river and its long history.`);
  const picture = await scanned(page, lines);
  await page.evaluate(() => {
    const canvases = [];
    const create = document.createElement.bind(document);
    // For each new one, how many pixels those before it still hold.
    globalThis.held = [];
    document.createElement = (name, ...rest) => {
      const made = create(name, ...rest);
      if (name !== "canvas") return made;
      globalThis.held.push(canvases.reduce((sum, { width, height }) => sum + width * height, 0));
      canvases.push(made);
      return made;
    };
  });
  await page.setInputFiles("#files", [file("book.pdf", makePdf(Array.from({ length: 12 }, () => []), { pictures: Array.from({ length: 12 }, (_, on) => ({ on, ...picture })) }), "application/pdf")]);
  await page.waitForFunction(() => / is a picture\. Reading the text$/.test(document.querySelector(".job-what")?.textContent));
  for (const [width, scheme] of [[360, "light"], [820, "dark"], [1440, "light"], [1440, "dark"], [820, "light"], [360, "dark"]]) {
    await page.setViewportSize({ width, height: 860 });
    await page.emulateMedia({ colorScheme: scheme });
    const toggle = page.locator("#library-toggle");
    if (await toggle.isVisible() && await toggle.getAttribute("aria-expanded") !== "true") await toggle.click();
    await page.screenshot({ path: join(artefacts, `scan-reading-${width}-${scheme}.png`) });
    assert.equal(await scrollsSideways(page), false, `${width}`);
  }
  await page.waitForFunction(() => /^Page ([4-9]|1\d) of 12 is a picture\. Reading the text$/.test(document.querySelector(".job-what")?.textContent));
  assert.equal(ocrWorkers(page).length, 1);
  const { number, share } = await page.evaluate(() => ({
    number: Number(/\d+/.exec(document.querySelector(".job-what").textContent)[0]), share: document.querySelector(".job progress").value,
  }));
  assert.ok(share >= (number - 1) / 12 && share <= number / 12, `${share} at page ${number}`);
  await page.getByRole("button", { name: "Cancel reading book.pdf" }).click();
  assert.equal(await page.locator(".job").count(), 0);
  for (let tries = 0; ocrWorkers(page).length > 0; tries += 1) {
    assert.ok(tries < 100, "the OCR goes on");
    await page.waitForTimeout(100);
  }
  // A page of 612 by 792 points at three pixels a point has 4.4 million.
  const held = await page.evaluate(() => globalThis.held);
  assert.ok(held.length >= 4 && Math.max(...held) < 4e6, held.join());
  assert.equal(await page.textContent("#problems"), "");
  await bring(page, file("notice.pdf", makePdf([[]], { pictures: [{ on: 0, ...NOTICE }] }), "application/pdf"));
  assert.deepEqual(await page.locator(".doc-name").allTextContents(), ["notice.pdf"]);
});

test("a scan is read in a tab in the background", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, TINY);
  await page.evaluate(() => {
    globalThis.frame = requestAnimationFrame;
    globalThis.requestAnimationFrame = () => 0;
    Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
  });
  await page.setInputFiles("#files", [file("notice.pdf", makePdf([[]], { pictures: [{ on: 0, ...NOTICE }] }), "application/pdf")]);
  await page.waitForFunction(() => document.querySelector("#library-count").textContent === "1 document, 1 page", undefined, { polling: 200 });
  await page.evaluate(() => {
    globalThis.requestAnimationFrame = globalThis.frame;
    delete document.hidden;
  });
  assert.match(await page.textContent("#sheet"), /Keys cost 15 crowns/);
});

test("where OCR cannot be started the pages with text are there, and the others are named with the reason", { timeout: 5 * MINUTES }, async (t) => {
  const refusal = "onmessage = ({ data: { workerId, jobId, action } }) => postMessage({ workerId, jobId, action, status: 'reject', data: 'no' });";
  server.routes["/demo/ocr/worker.min.js"] = answer(Buffer.from(refusal));
  t.after(() => { delete server.routes["/demo/ocr/worker.min.js"]; });
  const page = await openDemo(t, TINY);
  const pictures = [1, 2, 4].map((on) => ({ on, ...NOTICE }));
  const text = ["The ferry to the mill island runs every twenty minutes until ten."];
  await bring(page, file("mixed.pdf", makePdf([text, [], [], text, []], { pictures }), "application/pdf"), file("scan.pdf", makePdf([[]], { pictures: [{ on: 0, ...NOTICE }] }), "application/pdf"));
  assert.deepEqual(await labels(page), ["Page 1", "Page 4"]);
  assert.deepEqual(await page.locator("#problems li").allTextContents(), [
    "mixed.pdf: there is no text on pages 2, 3, 5, and what is pictured there was not read: the reader of pictures could not be started: connect to a network and add the file again.",
    "scan.pdf was skipped: the reader of pictures could not be started: connect to a network and add the file again.",
  ]);
});
