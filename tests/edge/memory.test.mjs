// What loading a model takes of the WASM memory, which never shrinks: the file, the kernels' own copy of what they pack, and little else.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { modelCache } from "../browser/server.mjs";
import { root } from "./host.mjs";

const MIB = 2 ** 20;
const dist = join(root, "www/dist/wasm/cpu");
const names = ["ms-marco-minilm-l12-v2", "all-minilm-l6-v2"];

for (const [generation, name] of names.entries()) {
  test(`loading ${name} takes at most one and a half times its file and 40 MB`, async () => {
    const folder = join(modelCache, name);
    const read = (path) => new Uint8Array(readFileSync(join(folder, path)));
    // The glue keeps one instance; another address is another one.
    const glue = await import(`${pathToFileURL(join(dist, "foliorank.js"))}?generation=${generation}`);
    const { memory } = await glue.default({ module_or_path: await WebAssembly.compile(readFileSync(join(dist, "foliorank_bg.wasm"))) });
    const weights = read("model.safetensors");
    const engine = await glue.Engine.load(readFileSync(join(folder, "model.json"), "utf8"), read("tokenizer.json"), weights, "cpu");
    const loaded = memory.buffer.byteLength;
    await engine.selfTest();
    console.log(`${name}: file ${(weights.length / MIB).toFixed(1)} MiB, loaded ${(loaded / MIB).toFixed(1)}, after a pass ${(memory.buffer.byteLength / MIB).toFixed(1)}`);
    assert.ok(loaded <= 1.5 * weights.length + 40e6, `${loaded} bytes for a file of ${weights.length}`);
    engine.free();
  });
}
