// The template for Deno, on the `deno` of npm: on the CPU, and on WebGPU over whatever Vulkan driver the machine has.
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { speak, start, template, tiny } from "./host.mjs";

const deno = join(dirname(fileURLToPath(import.meta.url)), "node_modules/.bin/deno");
const scores = {};

for (const device of ["cpu", "webgpu"]) {
  test(`Deno serves what clients ask for on ${device}`, { timeout: 300_000 }, async (t) => {
    const cwd = template(t, "deno");
    const { url, said } = await start(t, deno, ["run", "--allow-net", "--allow-read", "--allow-env", "server.mjs"], { cwd, env: { MODEL: tiny, DEVICE: device } });
    const { health, results } = await speak(fetch, url);
    assert.equal(health.device, device, said());
    scores[device] = new Map(results.map(({ index, relevance_score }) => [index, relevance_score]));
  });
}

test("both devices of Deno give the same scores", () => {
  assert.equal(scores.webgpu?.size, 3);
  for (const [index, score] of scores.cpu) assert.ok(Math.abs(score - scores.webgpu.get(index)) < 1e-2, `${index}: ${score} and ${scores.webgpu.get(index)}`);
});
