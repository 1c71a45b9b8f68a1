// Strategies, fusion and hard negatives on hosts that cannot load WASM by URL: the variant `logic` handed in, on Node and on Deno.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { root, tiny } from "./host.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const hosts = {
  Node: [process.execPath, ["logic-host.mjs"]],
  Deno: [join(here, "node_modules/.bin/deno"), ["run", "--allow-read", "--allow-env", "logic-host.mjs"]],
};

for (const [name, [command, args]] of Object.entries(hosts)) {
  test(`${name} runs strategies, fuses and makes negatives with the logic that it is given`, { timeout: 180_000 }, () => {
    const said = execFileSync(command, [...args, join(root, "www/dist"), tiny], { cwd: here, encoding: "utf8" });
    const { withoutImages, seen, ofImage, names, plain, strategy, fused, groups, csv } = JSON.parse(said.trim().split("\n").at(-1));
    assert.ok(names.includes("prp-heapsort") && names.length > 10, names.join());
    assert.equal(strategy.report.name, "prp-heapsort");
    assert.ok(strategy.report.judgements > 0);
    // Heapsort of all by the judge's own scores gives the judge's order.
    assert.deepEqual(strategy.order, plain);
    // All weight on the first stage gives the first stage's order.
    assert.deepEqual(fused, [2, 0, 1]);
    assert.ok(groups > 0);
    assert.equal(csv, true);
    assert.equal(withoutImages, "invalid_argument");
    assert.ok(seen.length > 0, JSON.stringify(ofImage));
    for (const image of seen) assert.deepEqual(image, ["image/png", 1, 1]);
    assert.deepEqual(ofImage, []);
  });
}
