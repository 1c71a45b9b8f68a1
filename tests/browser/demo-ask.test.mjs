// The views "Ask" and "Compare": first stage, second stage and answer over the samples; what is not in the pages; what persists.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { MINUTES, artefacts, bring, file, finish, openDemo, visit } from "./demo-page.mjs";

const run = (page, button, work) => finish(page, work, () => page.click(button));

async function question(page, words) {
  await page.fill("#question", words);
  await run(page, "#ask-run", "#ask-work");
  assert.equal(await page.textContent("#ask-error"), "");
}

const stages = (page) => page.locator(".stage-name").allTextContents();

test("a question is answered with the sentence that answers it, and leads to its place on the page", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, "device=cpu#ask");
  await page.getByRole("button", { name: "a PDF" }).click();
  await page.waitForFunction(() => document.querySelector("#library-count").textContent === "2 documents, 18 pages");
  await question(page, "What is the deposit for borrowing a barrier?");
  assert.deepEqual(await stages(page), ["Index", "First stage", "Second stage", "Answer"]);
  assert.ok((await page.locator(".stage-ms").allTextContents()).every((text) => /^[\d.]+ (ms|s)$/.test(text)));
  assert.match(await page.locator(".quote mark").first().textContent(), /deposit of 20 crowns/);
  await page.screenshot({ path: join(artefacts, "ask-answer.png") });

  // Both lists hold the same passages, and a line joins each with itself.
  const sides = await page.locator(".duel-list").evaluateAll((lists) => lists.map((list) => [...list.querySelectorAll(".duel-row")].map(({ dataset }) => dataset.passage)));
  assert.deepEqual([...sides[0]].sort(), [...sides[1]].sort());
  assert.equal(await page.locator(".duel-lines path").count(), sides[0].length);
  const [top] = sides[1];
  const change = await page.locator(".duel-side").last().locator(".duel-change").first().textContent();
  const from = sides[0].indexOf(top);
  assert.equal(change, from === 0 ? "=" : `↑${from}`);

  await page.locator(".quote-foot button").first().click();
  await page.waitForSelector("#page-dialog .highlight");
  await page.waitForFunction(() => document.querySelector("#page-dialog img")?.naturalWidth > 300);
  assert.match(await page.textContent("#dialog-label"), /Page 2 · flood-handbook\.pdf/);
  await page.screenshot({ path: join(artefacts, "ask-page.png") });
  await page.check("input[name=dialog-look][value=text]");
  assert.match(await page.textContent("#dialog-sheet mark"), /^Barriers for doors .* deposit of 20 crowns\.$/);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#page-dialog").isVisible(), false);

  await question(page, "Who won the chess tournament?");
  assert.match(await page.textContent(".nothing"), /^Not in these pages: the best passage scores .* below 0\.02\.$/);
  await page.selectOption("#threshold", "0");
  await question(page, "Who won the chess tournament?");
  assert.equal(await page.locator(".nothing").count(), 0);
});

test("vectors, a strategy and fusion can be chosen, and what was indexed is there at the next visit", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, "device=cpu#ask");
  await page.selectOption("#mode", "hybrid");
  await page.selectOption("#fuse", "rrf");
  await question(page, "Why can't I swim in January?");
  assert.match(await page.textContent(".duel-side:last-child .duel-list li"), /swimming pool/);
  assert.match(await page.textContent(".stage:nth-child(2) .stage-note"), /^17 candidates$/);
  await page.selectOption("#fuse", "");
  await page.selectOption("#strategy", "diffusion");
  await question(page, "Why can't I swim in January?");
  assert.match(await page.textContent(".stage:nth-child(3) .stage-note"), /^diffusion/);
  assert.match(await page.textContent(".duel-side:last-child .duel-title"), /diffusion/);
  await page.selectOption("#candidates", "10");
  await page.reload();
  await page.waitForSelector("#ask-run:visible");
  await page.selectOption("#mode", "hybrid");
  await page.evaluate(() => {
    globalThis.seen = [];
    new MutationObserver(() => globalThis.seen.push(document.querySelector("#ask-work .work-label").textContent)).observe(document.querySelector("#ask-work"), { subtree: true, childList: true, characterData: true });
  });
  await question(page, "How many people visited the pool?");
  assert.match(await page.textContent(".quote mark"), /41,300 visitors/);
  const seen = await page.evaluate(() => globalThis.seen);
  assert.ok(seen.some((text) => /Scoring|Looking for the sentence/.test(text)));
  assert.ok(!seen.some((text) => /^(Indexing|Making vectors)/.test(text)), "nothing is indexed twice");
});

test("what leaves the library leaves the index, and stop stops", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, "device=cpu&model=../models/tiny-cross-encoder/#ask");
  await page.selectOption("#threshold", "0");
  await question(page, "How many people visited the pool?");
  assert.match(await page.textContent("#ask-duel"), /swimming pool/);
  await bring(page, file("zoo.md", `# Elephants\n\n${"The elephants eat hay and people visit the pool of the seals. ".repeat(3)}`));
  await question(page, "How many people visited the pool?");
  assert.doesNotMatch(await page.textContent("#ask-duel"), /swimming pool/);
  assert.match(await page.textContent("#ask-duel"), /Elephants/);
  await page.fill("#question", "xylophone");
  await run(page, "#ask-run", "#ask-work");
  assert.match(await page.textContent("#answer"), /No passage shares a word/);

  await bring(page, file("many.md", Array.from({ length: 900 }, (_, index) => `# Part ${index}\n\n${`Visitors ${index} of the pool came by bus. `.repeat(20)}`).join("\n\n")));
  await page.selectOption("#candidates", "50");
  await page.fill("#question", "visitors of the pool");
  await page.click("#ask-run");
  await page.click("#ask-stop");
  await page.waitForSelector("#ask-run:visible");
  assert.equal(await page.textContent("#status"), "Stopped.");
  await question(page, "visitors of the pool");
  assert.equal(await page.locator(".duel-side:last-child .duel-row").count(), 50);
});

test("two models rank the same passages side by side", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, "device=cpu#compare");
  await run(page, "#compare-run", "#compare-work");
  assert.equal(await page.textContent("#compare-error"), "");
  assert.deepEqual(await page.locator(".duel-title h3").allTextContents(), ["A: ms-marco-minilm-l12-v2", "B: all-minilm-l6-v2"]);
  for (const side of ["first", "last"]) assert.match(await page.locator(`.duel-side:${side}-child .duel-row`).first().textContent(), /The footbridge at Miller's Weir/);
  assert.match(await page.textContent("#agreement"), /τ -?\d\.\d\d, [1-5] of the first 5/);
  await page.screenshot({ path: join(artefacts, "compare.png") });
  await visit(page, "rerank");
  assert.equal(await page.textContent("#badge"), "CPU");
});
