// The demo page on WebGPU (SwiftShader) and in a browser that has none: every view, with the tiny model because a software GPU is slow.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { truth } from "../../www/test/llm-server.mjs";
import { MINUTES, artefacts, bring, file, finish, openDemo, ranked, visit } from "./demo-page.mjs";
import { useLlm } from "./llm-route.mjs";
import { browser } from "./set-up.mjs";

test("the page ranks on WebGPU and says so", { timeout: 5 * MINUTES }, async (t) => {
  const page = await openDemo(t, "device=webgpu&model=../models/tiny-cross-encoder/");
  assert.equal(await page.evaluate(async () => Boolean(await navigator.gpu?.requestAdapter())), true, "no WebGPU adapter");
  await page.click("#run");
  await ranked(page);
  assert.equal(await page.textContent("#badge"), "WebGPU");
  assert.match(await page.getAttribute("#badge", "title"), /WebGPU was asked for, on /);
  assert.match(await page.textContent("#facts"), /14 pages in .* on WebGPU/);
  await page.screenshot({ path: join(artefacts, "webgpu.png") });
  await visit(page, "settings");
  await page.check("input[name=device][value=cpu]");
  assert.equal(await page.textContent("#badge"), "Model not loaded yet");
  await visit(page, "rerank");
  await page.click("#run");
  await page.waitForFunction(() => document.querySelector("#badge").dataset.kind === "cpu");
});

const FACTS = "The steel span of the footbridge was lifted into place on 9 September 2021. The work came to 1.34 million crowns.";
const TOWNS = [0, 1, 2].map((town) => `Holm${town} had ${10 + town} water mills on its river in 2021.`).join(" ");

for (const { where, query, badge, hidden } of [
  { where: "on WebGPU", query: "device=webgpu&", badge: "WebGPU", hidden: false },
  { where: "in a browser without WebGPU", query: "", badge: "CPU", hidden: true },
]) {
  test(`every view works ${where}: ranking, hard negatives by rules and by a language model, an answer, a comparison`, { timeout: 5 * MINUTES }, async (t) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
    t.after(() => context.close());
    if (hidden) await context.addInitScript(() => Object.defineProperty(Navigator.prototype, "gpu", { value: undefined }));
    const page = await openDemo(t, `${query}model=../models/tiny-cross-encoder/`, { context });
    await page.click("#run");
    await ranked(page);
    assert.equal(await page.textContent("#badge"), badge);

    const generate = async () => {
      await finish(page, "#neg-work", () => page.click("#neg-run"));
      assert.equal(await page.textContent("#neg-error"), "");
      return page.locator(".negatives tbody tr:not(.row-positive)");
    };
    await visit(page, "negatives");
    await bring(page, file("bridge.txt", FACTS));
    assert.ok(await (await generate()).count() > 0);
    await useLlm(t, page, ({ messages, response_format: format, stream }) => (
      stream ? "It was lifted in 2021 [1]." : JSON.stringify(truth(messages.at(-1).content, format?.json_schema?.schema))));
    await visit(page, "negatives");
    await bring(page, file("towns.txt", TOWNS));
    await page.selectOption("#neg-by", "llm");
    const votes = await (await generate()).locator(".cell-votes").allTextContents();
    assert.deepEqual([...new Set(votes)], ["A\u2717 B\u2717"]);

    await visit(page, "ask");
    await page.selectOption("#threshold", "0");
    await page.fill("#question", "When was the span of the footbridge lifted?");
    await finish(page, "#ask-work", () => page.click("#ask-run"));
    assert.equal(await page.textContent("#ask-error"), "");
    assert.match(await page.textContent(".answer-text"), /^It was lifted in 2021 1\.$/);

    await visit(page, "compare");
    const [own] = await page.locator("#model-a option").evaluateAll((options) => options.filter(({ value }) => value.includes("tiny")).map(({ value }) => value));
    for (const side of ["a", "b"]) await page.selectOption(`#model-${side}`, own);
    await page.selectOption("#strategy-b", "prp-heapsort");
    await finish(page, "#compare-work", () => page.click("#compare-run"));
    assert.equal(await page.textContent("#compare-error"), "");
    assert.match(await page.textContent("#agreement"), /τ -?\d\.\d\d, \d of the first \d/);
    assert.equal(await page.textContent("#badge"), badge);
  });
}
