// Runs each JavaScript block of README.md in a browser, as a page would have it: only the package's name is replaced by its address.
// What a line prints stands behind it in the README as `// prints ...`, and is compared.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch } from "./chromium.mjs";
import { answer, startServer } from "./server.mjs";

const readme = readFileSync(join(dirname(fileURLToPath(import.meta.url)), "../../README.md"), "utf8");

const blocks = [...readme.matchAll(/^```(?:js|javascript)\n(.*?)^```/gms)].map(([, code]) => code);

test("the README has code to run", () => assert.ok(blocks.length > 0));

for (const [place, code] of blocks.entries()) {
  test(`JavaScript block ${place + 1} of the README does what it says`, { timeout: 300_000 }, async (t) => {
    assert.match(code, /from "foliorank"/);
    const expected = [...code.matchAll(/\/\/ prints (.*)$/gm)].map(([, text]) => text.trim());
    assert.ok(expected.length > 0, "nothing in the block says what it prints");

    const server = await startServer({
      "/readme.html": answer('<!doctype html><meta charset="utf-8"><script type="module" src="/readme.js"></script>', "html"),
      "/readme.js": answer(`${code.replaceAll('"foliorank"', '"/index.js"')}\ndocument.title = "done";`),
    });
    t.after(() => server.close());
    const browser = await launch({ webgpu: false });
    t.after(() => browser.close());
    const page = await browser.newPage();
    const printed = [];
    const broken = new Promise((_, reject) => { page.on("pageerror", reject); });
    page.on("console", (message) => { if (message.type() === "log") printed.push(message.text()); });
    await page.goto(`${server.url}/readme.html`);
    await Promise.race([page.waitForFunction(() => document.title === "done", undefined, { timeout: 240_000 }), broken]);
    assert.deepEqual(printed, expected);
  });
}
