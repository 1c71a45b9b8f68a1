// The demo with a language model of the user's, scripted by the test's own server: an answer that streams, stops and breaks off, several
// answers in the local model's order; its key stays in memory.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { axeContext, violations } from "./axe.mjs";
import { MINUTES, TINY, artefacts, finish, openDemo, scrollsSideways, visit } from "./demo-page.mjs";
import { browserText, keptText, useLlm } from "./llm-route.mjs";

const run = (page) => finish(page, "#ask-work", () => page.click("#ask-run"));

/** The view "Ask" with the tiny model, which says nothing sensible, and a language model that says `say`. */
async function openAsk(t, say, query = TINY, options = {}) {
  const page = await openDemo(t, `${query}#settings`, options);
  const asked = await useLlm(t, page, say);
  await visit(page, "ask");
  await page.selectOption("#threshold", "0");
  await page.fill("#question", "Who paid for the footbridge?");
  return { page, asked };
}

test("a language model of the user's answers with citations, and its key stays in memory", { timeout: 5 * MINUTES }, async (t) => {
  let text = "The region\u2019s flood fund paid 800,000 crowns [1]. <b>Not bold</b> [77].";
  const { page, asked } = await openAsk(t, () => text);
  assert.match(await page.textContent("#ask-llm"), /A language model writes/);
  await run(page);
  assert.equal(await page.textContent("#ask-error"), "");
  assert.match(await page.textContent(".answer-text"), /flood fund paid 800,000 crowns 1\. <b>Not bold<\/b> \[77\]\./);
  assert.equal(await page.locator(".answer-text b").count(), 0);
  assert.equal(asked[0].authorization, "Bearer sk-very-secret");
  assert.match(browserText(asked[0].body), /passage 1\]\]/);
  assert.deepEqual([asked[0].body.stream, asked[0].body.temperature], [true, 0]);
  await page.locator(".cite").click();
  await page.waitForSelector("#page-dialog[open] mark");
  await page.click("#dialog-close");
  assert.ok(await page.locator("#strategy option").count() > 8, "with a language model there are more strategies");

  text = "NOT_IN_PAGES";
  await run(page);
  assert.match(await page.textContent(".nothing"), /^The language model finds no answer in these pages\.$/);
  assert.equal(await page.textContent("#answer h4"), "Nearest all the same");

  const kept = await keptText(page);
  assert.match(kept, /footbridge/i, "the measure sees what is stored");
  assert.doesNotMatch(kept, /very-secret/);
});

test("an answer streams into the page, a citation is a link once it is whole, and what stands there stays", { timeout: 5 * MINUTES }, async (t) => {
  const text = "The footbridge was paid for by the flood fund [1, 2]. <img src=x onerror=alert(1)> The rowing club gave the rest [3], and that is all there is to say.";
  const { page } = await openAsk(t, () => ({ text, pauseMs: 60 }));
  await page.evaluate(() => {
    globalThis.seen = [];
    new MutationObserver(() => {
      const box = document.querySelector(".answer-text");
      if (box) globalThis.seen.push({ text: box.textContent, links: box.querySelectorAll(".cite").length, busy: document.querySelector("#answer").ariaBusy });
    }).observe(document.querySelector("#answer"), { subtree: true, childList: true, characterData: true });
  });
  await page.click("#ask-run");
  // The keyboard stays on a citation while the rest of the answer comes.
  await page.locator(".cite").first().focus();
  await page.screenshot({ path: join(artefacts, "ask-streaming.png") });
  assert.equal(await page.textContent("#ask-work .work-label"), "The language model writes");
  await page.waitForSelector("#ask-run:visible");
  assert.equal(await page.evaluate(() => document.activeElement.className), "cite");
  const seen = await page.evaluate(() => globalThis.seen);
  const coming = seen.filter(({ busy }) => busy === "true");
  assert.ok(coming.length > 10, `${coming.length} steps`);
  for (const { text: shown } of seen) assert.doesNotMatch(shown, /\[/, "half a citation was shown");
  assert.deepEqual([...new Set(seen.map(({ links }) => links))], [0, 2, 3]);
  assert.equal(await page.textContent(".answer-text"), text.replace("[1, 2]", "12").replace("[3]", "3"));
  assert.equal(await page.locator(".answer-text img").count(), 0);
  assert.equal(await page.getAttribute("#answer", "aria-busy"), null);
  assert.ok(await page.locator(".quotes > li").count() > 0);
});

test("stop keeps what came of an answer, and a broken or refused stream says so beside it", { timeout: 5 * MINUTES }, async (t) => {
  const text = `The flood fund paid [1]. ${"The rest is told at length and without haste. ".repeat(20)}`;
  let how = { pauseMs: 50 };
  const { page, asked } = await openAsk(t, () => ({ text, ...how }));
  await page.click("#ask-run");
  await page.waitForFunction(() => document.querySelector(".answer-text")?.textContent.length > 60);
  await page.click("#ask-stop");
  await page.waitForSelector("#ask-run:visible");
  assert.equal(await page.textContent("#status"), "Stopped.");
  const came = await page.textContent(".answer-text");
  assert.ok(came.startsWith("The flood fund paid 1. The rest is told") && came.length < text.length / 2, came);
  assert.equal(await page.textContent(".answer-note"), "Stopped here; this is what had come.");
  assert.equal(await page.textContent("#ask-error"), "");
  assert.ok(await page.locator(".quotes > li").count() > 0, "the quotes are there all the same");
  await page.screenshot({ path: join(artefacts, "ask-stopped.png") });
  await page.waitForTimeout(300);
  assert.equal(await page.textContent(".answer-text"), came, "nothing comes after the stop");

  // The browser logs broken connections; that is no fault of the page.
  page.removeAllListeners("console");
  for (const end of ["cut", "unfinished"]) {
    how = { end };
    await run(page);
    assert.match(await page.textContent("#ask-error"), /^That did not work: ./, end);
    assert.match(await page.textContent(".answer-text"), /^The flood fund paid 1\. The rest/);
    assert.equal(await page.textContent(".answer-note"), "It broke off here; this is what had come.");
    assert.ok(await page.locator(".quotes > li").count() > 0);
  }
  how = { end: "hang" };
  await page.click("#ask-run");
  await page.waitForSelector(".cite");
  await page.click("#ask-stop");
  await page.waitForSelector("#ask-run:visible");
  assert.match(await page.textContent(".answer-text"), /^The flood fund paid 1\./);
  assert.equal(asked.length, 4);
});

test("of several answers the one that answers and rests on its sources comes first, the others can be unfolded", { timeout: 5 * MINUTES }, async (t) => {
  // By the passages that the page sends, so that citations can be right and wrong.
  const say = ({ messages }, number) => {
    const passages = messages.at(-1).content.split(/\[\[\w+ passage \d+\]\]/u).slice(1);
    const right = passages.findIndex((passage) => passage.includes("800,000")) + 1;
    const wrong = passages.findIndex((passage) => !/bridge/i.test(passage)) + 1;
    assert.ok(right > 0 && wrong > 0, messages.at(-1).content);
    return [
      `The weather was mild and the ducks were content [${right}].`,
      `The region's flood fund paid 800,000 crowns for the footbridge [${right}].`,
      `The footbridge was paid for by the flood fund [${wrong}].`,
      "NOT_IN_PAGES",
    ][number % 4];
  };
  const { page, asked } = await openAsk(t, say, "device=cpu", { context: await axeContext(t) });
  await page.selectOption("#answers", "4");
  await run(page);
  assert.equal(await page.textContent("#ask-error"), "");
  assert.equal(asked.length, 4);
  assert.ok(asked.every(({ body }) => body.temperature === 0.8));
  assert.equal(await page.textContent("#answer h3"), "The best of 3 answers");
  assert.match(await page.locator(".answer-text").first().textContent(), /^The region's flood fund paid 800,000 crowns for the footbridge \d\./);
  const scores = await page.locator(".answer-scores").allTextContents();
  t.diagnostic(scores.join("\n"));
  const numbers = scores.map((text) => text.match(/\d\.\d+/g).map(Number));
  assert.equal(numbers.length, 3);
  for (const [score, onQuestion, onSources] of numbers) assert.ok(Math.abs(score - Math.sqrt(onQuestion * onSources)) < 0.03);
  assert.deepEqual(numbers.map(([score]) => score), numbers.map(([score]) => score).sort((a, b) => b - a));
  assert.ok(numbers[0][0] > 0.5 && numbers[1][0] < 0.5, scores.join());
  assert.equal(await page.textContent(".answer > .hint:not(.answer-scores)"), "1 attempt found no answer in these pages.");
  assert.equal(await page.locator(".others .answer-text").first().isVisible(), false);
  await page.locator(".others summary").focus();
  await page.keyboard.press("Enter");
  assert.equal(await page.locator(".others .answer-text").first().isVisible(), true);
  assert.deepEqual(await violations(page), []);
  assert.match(await page.textContent(".stage:nth-child(4) .stage-note"), /^the best of 4 by the language model$/);
  await page.screenshot({ path: join(artefacts, "ask-candidates.png"), fullPage: true });
  await page.setViewportSize({ width: 360, height: 780 });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.locator("#answer").scrollIntoViewIfNeeded();
  assert.equal(await scrollsSideways(page), false);
  assert.deepEqual(await violations(page), []);
  await page.screenshot({ path: join(artefacts, "ask-candidates-360-dark.png") });
});

test("answers of the same words are one, all without an answer are none, and stop keeps those that are being written", { timeout: 5 * MINUTES }, async (t) => {
  let say = () => "The flood fund paid [1].";
  const { page } = await openAsk(t, (...given) => say(...given));
  await page.selectOption("#answers", "3");
  await run(page);
  assert.equal(await page.textContent("#answer h3"), "Answer");
  assert.equal(await page.locator(".answer-scores").count(), 1);
  assert.equal(await page.locator(".others").count(), 0);
  say = () => "NOT_IN_PAGES";
  await run(page);
  assert.match(await page.textContent(".nothing"), /finds no answer/);
  say = (_, number) => (number % 3 === 0 ? "The flood fund paid [1]." : { text: `The flood fund ${number} paid [1], and it did so gladly. `.repeat(9), end: number % 3 === 1 ? "hang" : "whole", pauseMs: number % 3 === 1 ? 0 : 200 });
  await page.click("#ask-run");
  await page.waitForFunction(() => [...document.querySelectorAll(".coming .answer-text")].filter(({ textContent }) => textContent.length > 20).length === 3);
  assert.match(await page.textContent("#ask-work .work-label"), /^Answers written: 1 of 3$/);
  await page.screenshot({ path: join(artefacts, "ask-candidates-coming.png") });
  await page.click("#ask-stop");
  await page.waitForSelector("#ask-run:visible");
  assert.equal(await page.locator(".coming .answer-text").count(), 3);
  assert.equal(await page.textContent(".answer-note"), "Stopped here; this is what had come.");
  page.removeAllListeners("console");
  say = (_, number) => (number % 3 === 0 ? "The flood fund paid [1]." : { text: "x".repeat(90), end: "unfinished" });
  await run(page);
  assert.equal(await page.textContent("#ask-error"), "");
  assert.equal(await page.textContent(".answer > .hint:not(.answer-scores)"), "2 attempts failed.");
});
