// The demo page on WebGPU (SwiftShader), with the tiny model because a software GPU is slow.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { MINUTES, artefacts, openDemo, ranked, visit } from "./demo-page.mjs";

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
