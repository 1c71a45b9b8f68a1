// The view "Hard negatives" with rules on the sample: funnel, table, plot, editing by hand, files; and the language model that the user
// sets up, scripted by the test's own server.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MINUTES, TINY, artefacts, bring, file, finish, openDemo, visit } from "./demo-page.mjs";
import { answer, browserText, server } from "./llm-route.mjs";

const generate = (page) => finish(page, "#neg-work", () => page.click("#neg-run"));
const rows = (page) => page.locator(".negatives tbody tr:not(.row-positive)");
const numbers = async (locator) => (await locator.allTextContents()).map(Number);

test("a page's look-alikes are made by rules, scored, edited by hand and exported", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, "device=cpu#negatives");
  await bring(page, file("bridge.txt", "The steel span of the footbridge was lifted into place on 9 September 2021. The work came to 1.34 million crowns. "
    + "The rowing club collected 45,000 crowns for the ramp on the eastern bank."));
  assert.match(await page.textContent("#neg-note"), /^By rules: .* No language model has checked them\.$/);
  await generate(page);
  assert.equal(await page.textContent("#neg-error"), "");
  await page.screenshot({ path: join(artefacts, "negatives.png"), fullPage: true });

  const count = await rows(page).count();
  assert.ok(count >= 5);
  const funnel = (await page.locator(".funnel-count").allTextContents()).map((text) => Number(text.replace("\u2212", "")));
  assert.equal(funnel[0], funnel.slice(1).reduce((sum, one) => sum + one), "everything that was generated is dead or kept");
  assert.equal(funnel.at(-1), count);
  assert.equal(await page.locator(".point.negative").count(), count);
  const groups = await page.locator(".group").count();
  assert.equal(await page.locator(".point.positive").count(), groups);
  for (let group = 0; group < groups; group += 1) {
    const margins = await numbers(page.locator(".group").nth(group).locator(".cell-margin"));
    assert.deepEqual(margins, [...margins].sort((a, b) => a - b), "the hardest come first");
  }
  const first = rows(page).first();
  const [, to] = (await first.locator(".change").textContent()).split(" \u2192 ");
  assert.equal((await first.locator("mark").textContent()).toLowerCase(), to.toLowerCase());

  // As it is typed, the score follows; the positive itself fools the model by a margin of nothing.
  const positive = (await page.locator(".row-positive .cell-query").first().evaluate((cell) => cell.lastChild.textContent)).trim();
  await page.locator(".cell-actions button").first().click();
  const score = page.locator(".group").first().locator("tr:has(textarea) .number").first();
  const before = await score.textContent();
  await page.locator(".negatives textarea").fill("Elephants eat hay in the zoo?");
  await page.waitForFunction((before) => document.querySelector("tr:has(textarea) .cell-score").textContent !== before, before);
  const low = Number(await score.textContent());
  assert.ok(low < Number(before) - 3, `${low} after ${before}`);
  await page.locator(".negatives textarea").fill(positive);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".row-fooled");
  assert.equal(await page.locator(".group").first().locator(".cell-margin").first().textContent(), "0.00");
  assert.match(await page.locator(".row-fooled").textContent(), /fools the model/);
  assert.equal(await page.locator(".point.fooled").count(), 1);
  await page.getByRole("button", { name: `Delete: ${positive}` }).click();
  assert.equal(await rows(page).count(), count - 1);
  assert.equal(await page.locator(".row-fooled").count(), 0);
  const hostile = "<img src=x onerror=\"document.title='hacked'\"> What is this?";
  await page.locator(".neg-add input").first().fill(hostile);
  await page.locator(".neg-add button").first().click();
  await page.waitForFunction((count) => document.querySelectorAll(".negatives tbody tr:not(.row-positive)").length === count, count);

  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#neg-export")]);
  const text = readFileSync(await download.path(), "utf8");
  const lines = text.trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(lines.length, groups);
  assert.ok(lines.some(({ negatives }) => negatives.some(({ query, property }) => query === hostile && property === null)));

  const scores = await numbers(page.locator(".cell-score .number"));
  await page.reload();
  await finish(page, "#neg-work", () => page.setInputFiles("#neg-import", file("groups.jsonl", text)));
  assert.equal(await page.textContent("#status"), `${groups} groups imported.`);
  assert.deepEqual(await numbers(page.locator(".cell-score .number")), scores);
  assert.equal(await page.title(), "foliorank");
  assert.equal(await page.locator("#groups img").count(), 0);
  await finish(page, "#neg-work", () => page.setInputFiles("#neg-import", file("broken.jsonl", "{}\n")));
  assert.match(await page.textContent("#neg-error"), /did not work: /);
});

test("generation can be stopped, and a page without facts says so", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, `${TINY}#negatives`);
  await page.click("#neg-run");
  await page.click("#neg-stop");
  await page.waitForSelector("#neg-run:visible");
  assert.equal(await page.textContent("#status"), "Stopped.");
  await page.setInputFiles("#files", [file("dull.txt", "Well, well. So it goes.")]);
  await page.waitForFunction(() => document.querySelector("#neg-page").options.length === 1);
  await generate(page);
  assert.match(await page.textContent("#neg-error"), /^This page gave no questions/);
  await page.selectOption("#neg-by", "llm");
  await page.click("#neg-run");
  assert.match(await page.textContent("#neg-error"), /^Set up a language model/);
});

test("a language model of the user's answers with citations, and its key stays in memory", { timeout: 5 * MINUTES }, async (t) => {
  const asked = [];
  let text = "The region\u2019s flood fund paid 800,000 crowns [1]. <b>Not bold</b> [77].";
  server().routes["/v1/chat/completions"] = answer(asked, () => text);
  t.after(() => { delete server().routes["/v1/chat/completions"]; });
  const page = await openDemo(t, `${TINY}#settings`);
  await page.selectOption("#llm-provider", "openai");
  await page.fill("#llm-url", `${server().url}/v1`);
  await page.fill("#llm-model", "scripted");
  await page.fill("#llm-key", "sk-very-secret");
  await page.click("#llm-form button[type=submit]");
  await page.waitForFunction(() => /^In use: OpenAI-compatible, scripted\.$/.test(document.querySelector("#llm-state").textContent));

  await visit(page, "ask");
  assert.match(await page.textContent("#ask-llm"), /A language model writes/);
  await page.selectOption("#threshold", "0");
  await page.fill("#question", "Who paid for the footbridge?");
  await finish(page, "#ask-work", () => page.click("#ask-run"));
  assert.equal(await page.textContent("#ask-error"), "");
  assert.match(await page.textContent(".answer-text"), /flood fund paid 800,000 crowns 1\. <b>Not bold<\/b> \[77\]\./);
  assert.equal(await page.locator(".answer-text b").count(), 0);
  assert.equal(asked[0].authorization, "Bearer sk-very-secret");
  assert.match(browserText(asked[0].body), /passage 1\]\]/);
  await page.locator(".cite").click();
  await page.waitForSelector("#page-dialog[open] mark");
  await page.click("#dialog-close");
  assert.ok(await page.locator("#strategy option").count() > 8, "with a language model there are more strategies");

  text = "NOT_IN_PAGES";
  await finish(page, "#ask-work", () => page.click("#ask-run"));
  assert.match(await page.textContent(".nothing"), /^The language model finds no answer in these pages\.$/);

  const kept = await page.evaluate(async () => {
    const stores = [];
    for (const { name } of await indexedDB.databases()) {
      const database = await new Promise((resolve) => { const request = indexedDB.open(name); request.onsuccess = () => resolve(request.result); });
      for (const store of database.objectStoreNames) {
        stores.push(await new Promise((resolve) => { const request = database.transaction(store).objectStore(store).getAll(); request.onsuccess = () => resolve(request.result); }));
      }
      database.close();
    }
    return JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href, document.cookie, stores]);
  });
  assert.match(kept, /footbridge/i, "the measure sees what is stored");
  assert.doesNotMatch(kept, /very-secret/);
});
