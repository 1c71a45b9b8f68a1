// The view "Hard negatives" with rules on the sample: funnel, table, plot, editing by hand, files; and with
// a scripted language model that checks them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { truth } from "../../www/test/llm-server.mjs";
import { MINUTES, TINY, artefacts, bring, file, finish, openDemo, visit } from "./demo-page.mjs";
import { keptText, useLlm } from "./llm-route.mjs";

const samples = join(dirname(fileURLToPath(import.meta.url)), "../../www/demo/samples");
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

test("a language model writes and checks look-alikes: the funnel lives, votes are shown, the hardest come first, the key is nowhere", { timeout: 5 * MINUTES }, async (t) => {
  const KEY = "sk-not-to-be-found";
  // The tiny model knows nothing, so that many look-alikes fool it.
  const page = await openDemo(t, `${TINY}#settings`);
  let [lies, denies] = [false, false];
  const asked = await useLlm(t, page, async ({ messages, response_format: format }) => {
    // So that there is something to see while it works.
    await new Promise((resolve) => { setTimeout(resolve, 30); });
    const told = truth(messages.at(-1).content, format?.json_schema?.schema, lies);
    // Where one question is unanswerable it calls all so.
    if (denies && told.verdicts?.some(({ answerable }) => !answerable)) for (const verdict of told.verdicts) verdict.answerable = false;
    return JSON.stringify(told);
  }, KEY);
  await visit(page, "negatives");
  await bring(page, file("towns.txt", Array.from({ length: 3 }, (_, town) => `Holm${town} had ${10 + town} water mills on its river in 2021.`).join(" ")));
  await page.selectOption("#neg-by", "llm");
  assert.match(await page.textContent("#neg-note"), /^By a language model: two prompts must both say/);
  await page.evaluate(() => {
    globalThis.funnels = [];
    new MutationObserver(() => {
      if (document.querySelector("#neg-work").dataset.busy === "true") globalThis.funnels.push([...document.querySelectorAll(".funnel-count")].map(({ textContent }) => textContent).join(" "));
    }).observe(document.querySelector("#funnel-steps"), { childList: true });
  });
  await generate(page);
  assert.equal(await page.textContent("#neg-error"), "");
  assert.ok(new Set(await page.evaluate(() => globalThis.funnels)).size > 2, "the funnel changes while it works");
  const funnel = (await page.locator(".funnel-count").allTextContents()).map((text) => Number(text.replace("\u2212", "")));
  assert.equal(funnel[0], funnel.slice(1).reduce((sum, one) => sum + one));
  assert.equal(funnel.at(-1), await rows(page).count());
  assert.ok(funnel.at(-1) >= 6, funnel.join());
  assert.deepEqual([...new Set(await page.locator(".row-positive .cell-votes").allTextContents())], ["A\u2713 B\u2713"]);
  assert.deepEqual([...new Set(await rows(page).locator(".cell-votes").allTextContents())], ["A\u2717 B\u2717"]);
  assert.equal(await rows(page).locator(".cell-votes").first().getAttribute("title"), "A not answerable, B not answerable");
  assert.ok(await page.locator(".row-fooled").count() > 0, "some fool the model");
  for (let group = 0; group < await page.locator(".group").count(); group += 1) {
    const table = page.locator(".group").nth(group);
    const margins = await numbers(table.locator(".cell-margin"));
    assert.deepEqual(margins, [...margins].sort((a, b) => a - b), "the hardest come first");
    const fooled = await table.locator("tbody tr:not(.row-positive)").evaluateAll((found) => found.map(({ className }) => className === "row-fooled"));
    assert.equal(fooled.lastIndexOf(true), fooled.filter(Boolean).length - 1, "those that fool the model stand above the others");
    assert.equal(fooled.filter(Boolean).length, margins.filter((margin) => margin <= 0).length);
  }
  await page.screenshot({ path: join(artefacts, "negatives-llm.png"), fullPage: true });

  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#neg-export")]);
  const exported = readFileSync(await download.path(), "utf8");
  assert.match(exported, /Holm1/);
  assert.match(exported, /scripted/, "the export says which model it was");
  assert.ok(!exported.includes(KEY));
  const kept = await keptText(page);
  assert.match(kept, /Holm1/, "the measure sees what is stored");
  assert.ok(!kept.includes(KEY));
  assert.ok(!(await page.content()).includes(KEY));
  assert.ok(asked.every(({ authorization, body }) => authorization === `Bearer ${KEY}` && !JSON.stringify(body).includes(KEY)));

  // One that calls everything answerable leaves nothing, and each check says so.
  lies = true;
  await bring(page, file("other.txt", "Holm7 had 17 water mills on its river in 2021."));
  await page.selectOption("#neg-page", { index: 1 });
  await generate(page);
  const dead = (await page.locator(".funnel-count").allTextContents()).map((text) => Number(text.replace("\u2212", "")));
  assert.ok(dead[1] > 0 && dead.at(-1) === 0, dead.join());
  assert.equal(await page.getByText("Check failed").count(), 0);

  // One that denies the question the page answers, among those it does not, is not believed.
  [lies, denies] = [false, true];
  await bring(page, file("third.txt", "Holm8 had 18 water mills on its river in 2021."));
  await page.selectOption("#neg-page", { index: 2 });
  await generate(page);
  const failed = page.locator(".funnel-step", { hasText: "Check failed" });
  assert.match(await failed.locator(".funnel-count").textContent(), /^\u2212[1-9]/);
  assert.equal(await rows(page).count(), 0);
  await page.locator("#funnel").screenshot({ path: join(artefacts, "negatives-check-failed.png") });
});

test("a model that sees gets the page's picture beside its words; a page without a picture says so", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, `${TINY}#settings`);
  const asked = await useLlm(t, page, ({ messages, response_format: format }) => {
    const { content } = messages.at(-1);
    const words = typeof content === "string" ? content : content.find(({ type }) => type === "text").text;
    return JSON.stringify(truth(words, format?.json_schema?.schema, false));
  });
  await visit(page, "negatives");
  await page.selectOption("#neg-by", "seeing");
  assert.match(await page.textContent("#neg-note"), /the page's picture/);
  await bring(page, file("bridge.txt", "The footbridge was lifted into place on 9 September 2021."), file("notice.jpg", readFileSync(join(samples, "notice.jpg")), "image/jpeg"));
  const pages = await page.locator("#neg-page option").allTextContents();
  const choose = (name) => page.selectOption("#neg-page", { index: pages.findIndex((label) => label.includes(name)) });
  await choose("bridge.txt");
  await page.click("#neg-run");
  assert.match(await page.textContent("#neg-error"), /^This page has no picture/);
  assert.deepEqual(asked, []);
  await choose("notice.jpg");
  await generate(page);
  const [{ body: { messages } }] = asked;
  const [picture, words] = messages.at(-1).content;
  assert.match(picture.image_url.url, /^data:image\/(png|jpeg);base64,/);
  const size = await page.evaluate(async (url) => {
    const image = Object.assign(new Image(), { src: url });
    await image.decode();
    return [image.naturalWidth, image.naturalHeight];
  }, picture.image_url.url);
  assert.deepEqual(size, [760, 560]);
  assert.match(words.text, /attached as an image[^]*Keys cost 15 crowns/);
});
