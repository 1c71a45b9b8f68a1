// Runs each JavaScript block of README.md, and of the package's own, in a browser, as a page would have it: only the package's name is replaced by its address.
// What a line prints stands behind it in the README as `// prints ...`, and is compared.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch } from "./chromium.mjs";
import { answer, startServer } from "./server.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const blocks = ["README.md", "www/README.md"].flatMap((file) => {
  const found = [...readFileSync(join(root, file), "utf8").matchAll(/^```(?:js|javascript)\n(.*?)^```/gms)];
  assert.ok(found.length > 0, `${file} has no code to run`);
  return found.map(([, code], place) => ({ name: `JavaScript block ${place + 1} of ${file}`, code }));
});

for (const { name, code } of blocks) {
  test(`${name} does what it says`, { timeout: 300_000 }, async (t) => {
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
