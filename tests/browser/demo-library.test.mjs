// The library over a reload: documents, pages and pictures are kept in this browser, can be removed, and cost nothing when they cannot be kept.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { MINUTES, TINY, artefacts, bring, file, finish, labels, openDemo, ranked, visit } from "./demo-page.mjs";
import { makePdf } from "./pdf.mjs";
import { server } from "./set-up.mjs";

const samples = join(dirname(fileURLToPath(import.meta.url)), "../../www/demo/samples");
const LEAFLET = makePdf([["The lighthouse was built in 1871", "and is 33 metres tall."], [], ["Visitors may climb it on Sun-", "days in summer."]]);
const names = (page) => page.locator(".doc-name").allTextContents();
const counts = (page, text) => page.waitForFunction((text) => document.querySelector("#library-count").textContent === text
  && document.querySelector("#jobs").childElementCount === 0, text);
/** Until everything that is being written is written: what is asked of the same database comes after it. */
const written = (page, count) => page.waitForFunction(async (count) => {
  if (!(await indexedDB.databases()).some(({ name }) => name === "foliorank-library")) return count === 0;
  const database = await new Promise((resolve) => { const request = indexedDB.open("foliorank-library"); request.onsuccess = () => resolve(request.result); });
  const found = await new Promise((resolve) => { const request = database.transaction("documents").objectStore("documents").count(); request.onsuccess = () => resolve(request.result); });
  database.close();
  return found === count;
}, count);

test("documents, their pages and their pictures are there after a reload, and what was removed is not", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, "device=cpu");
  await bring(page, file("guide.md", "# Boats\n\nRowing boats can be hired at the pier for five crowns an hour.\n\n# Trains\n\nThe last train leaves at midnight."),
    file("leaflet.pdf", LEAFLET, "application/pdf"), file("notice.jpg", readFileSync(join(samples, "notice.jpg")), "image/jpeg"));
  await page.click("#paste-open");
  await page.fill("#paste-text", "The pasted baker opens at six.");
  await page.click("#paste-add");
  const before = await labels(page);
  assert.deepEqual(before, ["Boats", "Trains", "Page 1", "Page 3", "Picture", "Part 1"]);
  await written(page, 4);

  await page.reload();
  await counts(page, "4 documents, 6 pages");
  assert.deepEqual(await labels(page), before);
  assert.deepEqual(await names(page), ["guide.md", "leaflet.pdf", "notice.jpg", "Pasted text"]);
  assert.equal(await page.textContent("#problems"), "");
  await page.fill("#query", "How tall is the lighthouse?");
  await finish(page, "#work", () => page.press("#query", "Enter"));
  await page.check("input[name=look][value=picture]");
  await page.waitForFunction(() => document.querySelector("#sheet .picture img")?.naturalWidth > 300);
  await page.screenshot({ path: join(artefacts, "library-reloaded.png") });
  await page.fill("#query", "What does a key of the garden gate cost?");
  await finish(page, "#work", () => page.press("#query", "Enter"));
  await page.waitForFunction(() => document.querySelector("#sheet .picture img")?.alt === "Picture of Picture");
  await page.waitForFunction(() => document.querySelectorAll(".tile-face img").length === 3);

  await page.getByRole("button", { name: "Remove leaflet.pdf" }).click();
  await written(page, 3);
  await page.reload();
  await counts(page, "3 documents, 4 pages");
  await visit(page, "settings");
  await page.getByRole("button", { name: "Clear Documents of the library" }).click();
  await page.waitForFunction(() => !/Documents of the library/.test(document.querySelector("#storage-list").textContent));
  assert.match(await page.textContent("#library-count"), /^3 documents/, "this tab goes on with them");
  // Only what comes later is kept again.
  await bring(page, file("later.md", "# Later\n\nThis came after all was cleared."));
  await written(page, 1);
  await page.reload();
  await counts(page, "1 document, 1 page");
  await visit(page, "settings");
  await page.getByRole("button", { name: "Clear everything" }).click();
  await page.waitForFunction(() => document.querySelector("#storage-list").childElementCount === 0);
  await page.reload();
  await counts(page, "1 document, 14 pages");
  assert.deepEqual(await names(page), ["Ellerwick, annual report"]);
  await written(page, 0);
});

test("an empty library stays empty, samples stay samples, and what was indexed is not indexed again", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, `${TINY}#ask`);
  await page.click(".doc-remove");
  await page.waitForFunction(() => localStorage.getItem("foliorank-library") !== null);
  await page.reload();
  await counts(page, "0 documents, 0 pages");
  await page.getByRole("button", { name: "a PDF" }).click();
  await counts(page, "1 document, 4 pages");
  await written(page, 1);
  await page.getByRole("button", { name: "Remove flood-handbook.pdf" }).click();
  await written(page, 0);
  await page.reload();
  await counts(page, "0 documents, 0 pages");
  await page.click("#sample-back");
  await page.getByRole("button", { name: "a PDF" }).click();
  await counts(page, "2 documents, 18 pages");
  await written(page, 2);
  await page.selectOption("#threshold", "0");
  await finish(page, "#ask-work", () => page.click("#ask-run"));
  await page.reload();
  await counts(page, "2 documents, 18 pages");
  assert.equal(await page.locator(".doc-about", { hasText: "sample" }).count(), 2);
  await page.evaluate(() => {
    globalThis.seen = [];
    new MutationObserver(() => globalThis.seen.push(document.querySelector("#ask-work .work-label").textContent)).observe(document.querySelector("#ask-work"), { subtree: true, childList: true, characterData: true });
  });
  await page.selectOption("#threshold", "0");
  await finish(page, "#ask-work", () => page.click("#ask-run"));
  const seen = await page.evaluate(() => globalThis.seen);
  assert.ok(seen.length > 0 && !seen.some((text) => text.startsWith("Indexing")), seen.join());
  await bring(page, file("own.md", "# Own\n\nOwn pages take the place of the samples, for good."));
  await written(page, 1);
  await page.reload();
  await counts(page, "1 document, 1 page");
});

test("with the storage full nothing in the page is lost, and it says what will not be there at the next visit", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, TINY);
  await page.click("#run");
  await ranked(page);
  const devtools = await page.context().newCDPSession(page);
  // Before anything is stored: for a while Chromium goes by how much room there was when it last looked.
  const { usage } = await page.evaluate(() => navigator.storage.estimate());
  await devtools.send("Storage.overrideQuotaForOrigin", { origin: server.url, quotaSize: usage + 300_000 });
  await bring(page, file("small.md", "# Small\n\nThere was room for this."));
  await written(page, 1);
  await bring(page, file("large.md", `# Large\n\n${"The elephants eat hay and visit the pool of the seals every day. ".repeat(7_000)}`));
  await page.waitForFunction(() => document.querySelector("#problems").textContent
    === "large.md can be used now, but there is no room to keep it for your next visit. Remove documents, or clear models in Settings.");
  await page.screenshot({ path: join(artefacts, "library-full.png") });
  // A file that is large for its pictures alone is kept without them.
  await bring(page, file("pictures.pdf", Buffer.concat([LEAFLET, Buffer.alloc(3 << 20, "% nothing\n")]), "application/pdf"));
  await page.waitForFunction(() => /pictures\.pdf is kept for your next visit without the pictures/.test(document.querySelector("#problems").textContent));
  assert.deepEqual(await names(page), ["small.md", "large.md", "pictures.pdf"]);
  await page.fill("#query", "elephants");
  await finish(page, "#work", () => page.press("#query", "Enter"));
  assert.equal(await page.textContent("#error"), "");
  await written(page, 2);
  await page.reload();
  await counts(page, "2 documents, 3 pages");
  assert.deepEqual(await names(page), ["small.md", "pictures.pdf"]);
  assert.equal(await page.locator(".tile-face img").count(), 0);
  await devtools.send("Storage.overrideQuotaForOrigin", { origin: server.url });
  await bring(page, file("after.md", "# After\n\nThere is room again."));
  await written(page, 3);
});

test("a library that cannot be opened says so, and the page works with its sample", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, TINY);
  await page.evaluate(async () => {
    localStorage.setItem("foliorank-library", "kept");
    const request = indexedDB.open("foliorank-library", 99);
    await new Promise((resolve) => { request.onsuccess = resolve; });
    request.result.close();
  });
  await page.reload();
  await counts(page, "1 document, 14 pages");
  assert.match(await page.textContent("#problems"), /^The documents of your last visit could not be opened: .*version.* Add them again, or clear them in Settings\.$/);
  await page.click("#run");
  await ranked(page);
  await bring(page, file("own.md", "# Own\n\nIt can be used."));
  await page.waitForFunction(() => /own\.md can be used now, but this browser would not keep it/.test(document.querySelector("#problems").textContent));
  await visit(page, "settings");
  await page.getByRole("button", { name: "Clear Documents of the library" }).click();
  await written(page, 0);
  await page.reload();
  await counts(page, "1 document, 14 pages");
  assert.equal(await page.textContent("#problems"), "");
});

test("opening the documents of the last visit can be cancelled: no more come, it says so, and the next visit has them all", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, TINY);
  await bring(page, ...["one", "two", "three"].map((name) => file(`${name}.md`, `# ${name}\n\nThis is document ${name}.`)));
  await written(page, 3);
  // The second document is read from the database, and comes when it is let go.
  await page.addInitScript(() => {
    if (sessionStorage.getItem("hold") === null) return;
    const { get } = IDBObjectStore.prototype;
    let count = 0;
    IDBObjectStore.prototype.get = function (key) {
      const request = get.call(this, key);
      if (this.transaction.db.name !== "foliorank-library" || (count += 1) !== 2) return request;
      const late = {};
      request.onsuccess = () => {
        globalThis.letGo = () => {
          late.result = request.result;
          late.onsuccess();
        };
      };
      return late;
    };
  });
  await page.evaluate(() => sessionStorage.setItem("hold", ""));
  await page.reload();
  await page.waitForFunction(() => globalThis.letGo && document.querySelector(".job-what")?.textContent === "1 of 3");
  await page.getByRole("button", { name: "Cancel reading Documents of your last visit" }).click();
  assert.equal(await page.locator(".job").count(), 0);
  await page.evaluate(() => globalThis.letGo());
  await page.waitForFunction(() => document.querySelector("#problems").childElementCount > 0);
  assert.equal(await page.textContent("#problems"), "2 documents of your last visit were not opened. They are kept: load the page again to open them.");
  await counts(page, "1 document, 1 page");
  assert.deepEqual(await names(page), ["one.md"]);
  await page.screenshot({ path: join(artefacts, "library-restore-cancelled.png") });
  await page.click("#run");
  await ranked(page);
  await bring(page, file("four.md", "# four\n\nThis came after the cancelling."));
  await written(page, 4);
  await page.evaluate(() => sessionStorage.removeItem("hold"));
  await page.reload();
  await counts(page, "4 documents, 4 pages");
  assert.deepEqual(await names(page), ["one.md", "two.md", "three.md", "four.md"]);
});
