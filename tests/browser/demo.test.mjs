// The demo page as a reader meets it: first click on the sample, files of every kind, broken files, cancel, keyboard; screenshots.
// Ranking uses the real model on the CPU.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { MINUTES, artefacts, openDemo, ranked } from "./demo-page.mjs";
import { makePdf } from "./pdf.mjs";
import { browser, server } from "./set-up.mjs";

const labels = (page) => page.locator("#list .row-label").allTextContents();
const file = (name, body, mimeType = "text/plain") => ({ name, mimeType, buffer: Buffer.from(body) });

test("the first click ranks the sample sensibly, and the pages look right at every size", { timeout: 10 * MINUTES }, async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const seen = new Set();
  for (const scheme of ["light", "dark"]) {
    for (const width of [360, 768, 1280]) {
      const page = await openDemo(t, "device=cpu", { context });
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height: width < 500 ? 780 : 860 });
      await page.screenshot({ path: join(artefacts, `${scheme}-${width}-start.png`) });
      await page.click("#rerank");
      await ranked(page);
      assert.equal((await labels(page))[0], "The footbridge at Miller's Weir");
      assert.ok(Number((await page.locator("#list .score").first().textContent()).replace(/[^\d.]/g, "")) > 0.5);
      assert.equal(await page.textContent("#badge"), "CPU");
      assert.match(await page.textContent("#reason"), /^The CPU was asked for$/);
      assert.match(await page.textContent("#facts"), /14 pages in .* on the CPU: [\d,]+ tokens in \d+ batch/);
      assert.match(await page.textContent("#status"), /Done\. 14 pages ranked; the best is The footbridge/);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `${width} px scrolls sideways`);
      await page.screenshot({ path: join(artefacts, `${scheme}-${width}-ranked.png`) });
      await page.locator("#list button").first().click();
      assert.ok(await page.locator("#sheet mark").count() > 0);
      assert.match(await page.textContent("#sheet"), /1\.34 million crowns/);
      await page.screenshot({ path: join(artefacts, `${scheme}-${width}-page.png`) });
      seen.add(`${scheme} ${width}`);
      await page.close();
    }
  }
  assert.equal(seen.size, 6);
});

test("other questions find their sections too, by example and by keyboard", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, "device=cpu");
  for (const [question, section] of [["Why is the pool closed in winter?", "The swimming pool"], ["What can I do with an old sofa?", "Rubbish and recycling"], ["When can I ask the council a question?", "What comes next"]]) {
    await page.fill("#query", question);
    await page.press("#query", "Enter");
    await page.waitForFunction((section) => document.querySelector("#status").textContent.endsWith(`the best is ${section}.`), section);
    assert.equal((await labels(page))[0], section);
  }
  await page.locator("#list button").first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.equal(await page.textContent("#reader-label"), (await labels(page))[1]);
  assert.equal(await page.locator("#list button").nth(1).getAttribute("aria-current"), "true");
});

test("text, Markdown, HTML and PDF files are read and ranked together", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, "device=cpu");
  await page.setInputFiles("#files", [
    file("notes.txt", "The bakery opens at six.\n\nBread is sold out by noon on most days."),
    file("guide.md", "# Boats\n\nRowing boats can be hired at the pier for five crowns an hour.\n\n# Trains\n\nThe last train leaves at midnight."),
    file("page.html", "<h1>Bees</h1><p>Honey is harvested in <b>July</b>.</p><script>document.title='hacked'</script><h2>Wasps</h2><p>Wasps make no honey.<img src=x onerror=\"document.title='hacked'\"></p>", "text/html"),
    file("leaflet.pdf", makePdf([["The lighthouse was built in 1871", "and is 33 metres tall."], [], ["Visitors may climb it on Sun-", "days in summer."]]), "application/pdf"),
  ]);
  await page.waitForFunction(() => document.querySelectorAll("#sources .source").length === 4);
  assert.deepEqual(await labels(page), ["Part 1", "Boats", "Trains", "Bees", "Wasps", "Page 1", "Page 3"]);
  assert.match(await page.textContent("#problems"), /leaflet\.pdf: 1 page has no text/);
  for (const [question, label, words] of [
    ["How tall is the lighthouse?", "Page 1", /built in 1871 and is 33 metres/], ["What does it cost to hire a boat?", "Boats", /five crowns/],
    ["When is honey harvested?", "Bees", /^page\.htmlHoney is harvested in July\.$/], ["When can visitors climb it?", "Page 3", /on Sundays in summer/],
  ]) {
    await page.fill("#query", question);
    await page.press("#query", "Enter");
    await page.waitForFunction((label) => document.querySelector("#status").textContent.endsWith(`the best is ${label}.`), label);
    assert.match(await page.textContent("#sheet"), words);
  }
  assert.equal(await page.title(), "foliorank");
});

test("files that cannot be read are named and skipped, and the rest is used", async (t) => {
  const page = await openDemo(t, "device=cpu");
  await page.setInputFiles("#files", [
    file("locked.pdf", makePdf([["secret"]], { locked: true }), "application/pdf"), file("broken.pdf", "this is no PDF", "application/pdf"),
    file("scan.pdf", makePdf([[]]), "application/pdf"), file("empty.txt", ""), file("program.txt", Buffer.from([0, 1, 2, 3, 0, 255])),
    file("photo.jpg", "x", "image/jpeg"), file("good.txt", "A good file."),
  ]);
  await page.waitForFunction(() => document.querySelectorAll("#problems li").length === 6);
  assert.deepEqual(await page.locator("#problems li").allTextContents(), [
    "locked.pdf was skipped: it is locked with a password.", "broken.pdf was skipped: it is not a readable PDF.",
    "scan.pdf was skipped: its pages are pictures without text.", "empty.txt was skipped: there is no text in it.",
    "program.txt was skipped: it is not text.", "photo.jpg was skipped: only PDF, Markdown, HTML and text files can be read.",
  ]);
  assert.deepEqual(await page.locator(".source-name").allTextContents(), ["good.txt"]);
  await page.click(".remove");
  await page.waitForFunction(() => document.querySelector("#facts").textContent.startsWith("Nothing to rank yet"));
  await page.click("#rerank");
  assert.match(await page.textContent("#error"), /Nothing to rank yet/);
});

test("pasted and dropped text can be ranked", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, "device=cpu&model=../models/tiny-cross-encoder/");
  await page.click("#paste-open");
  await page.fill("#paste-text", "# One\n\nfirst text\n\n# Two\n\nsecond text");
  await page.click("#paste-add");
  assert.deepEqual(await labels(page), ["One", "Two"]);
  await page.evaluate(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(["# Three\n\nthird text"], "three.md", { type: "text/markdown" }));
    dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
  });
  await page.waitForFunction(() => document.querySelectorAll("#list li").length === 3);
  await page.click("#rerank");
  await ranked(page);
  assert.equal((await labels(page)).length, 3);
});

test("?threads= sets the number of workers, and the page says how many there are", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, "device=cpu&model=../models/tiny-cross-encoder/&threads=3");
  for (let turn = 0; turn < 20 && !/, 3 workers$/.test(await page.textContent("#model-info")); turn += 1) {
    await page.click("#rerank");
    await ranked(page);
    await page.waitForSelector("#rerank:visible");
  }
  assert.match(await page.textContent("#model-info"), /^Model tiny-cross-encoder, .*, 3 workers$/);
});

test("cancel stops a ranking, and the next one works", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, "device=cpu");
  const section = (index) => `# Section ${index}\n\n${`Sentence ${index} about a bridge over the river and its cost. `.repeat(25)}`;
  await page.setInputFiles("#files", [file("many.md", Array.from({ length: 300 }, (_, index) => section(index)).join("\n\n"))]);
  await page.waitForFunction(() => document.querySelector(".source-name").textContent === "many.md");
  await page.click("#rerank");
  await page.waitForFunction(() => /batch [1-9]/.test(document.querySelector("#work-label").textContent));
  await page.screenshot({ path: join(artefacts, "scoring.png") });
  assert.equal(await page.locator("#rerank").isVisible(), false);
  await page.click("#cancel");
  await page.waitForSelector("#rerank");
  assert.equal(await page.textContent("#status"), "Cancelled.");
  assert.equal(await page.locator("#list.ranked").count(), 0);
  await page.setInputFiles("#files", []);
  await page.click(".remove");
  await page.getByRole("button", { name: "Use the sample document" }).click();
  await page.click("#rerank");
  await ranked(page);
  assert.equal((await labels(page))[0], "The footbridge at Miller's Weir");
});

test("an error is told in words: a model that is not there, and no question", async (t) => {
  const page = await openDemo(t, "device=cpu&model=../models/tiny-cross-encoder/");
  await page.fill("#query", "  ");
  await page.click("#rerank");
  assert.equal(await page.textContent("#error"), "Type a question first.");
  server.routes["/models/tiny-cross-encoder/model.json"] = (_request, response) => response.destroy();
  t.after(() => { delete server.routes["/models/tiny-cross-encoder/model.json"]; });
  await page.fill("#query", "bridge");
  // The browser itself logs the failed request; that is no fault of the page.
  page.removeAllListeners("console");
  await page.click("#rerank");
  await page.waitForFunction(() => /did not work: model\.json could not be downloaded/.test(document.querySelector("#error").textContent));
  assert.equal(await page.locator("#rerank").isVisible(), true);
});
