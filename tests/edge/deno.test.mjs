// The template for Deno, on the `deno` of npm: on the CPU, and on WebGPU over whatever Vulkan driver the machine has.
import assert from "node:assert/strict";
import { test } from "node:test";
import { dieAndReturn, drip, fuzz, poison } from "./faults.mjs";
import { deno, endure, speak, start, template, tiny } from "./host.mjs";

const begin = (t, cwd, env) => start(t, deno, ["run", "--allow-net", "--allow-read", "--allow-env", "server.mjs"], { cwd, env: { MODEL: tiny, ...env } });
const scores = {};

for (const device of ["cpu", "webgpu"]) {
  test(`Deno serves what clients ask for on ${device}`, { timeout: 300_000 }, async (t) => {
    const { url, said } = await begin(t, template(t, "deno"), { DEVICE: device });
    const { health, results } = await speak(fetch, url);
    assert.equal(health.device, device, said());
    scores[device] = new Map(results.map(({ index, relevance_score }) => [index, relevance_score]));
  });
}

test("both devices of Deno give the same scores", () => {
  assert.equal(scores.webgpu?.size, 3);
  for (const [index, score] of scores.cpu) assert.ok(Math.abs(score - scores.webgpu.get(index)) < 1e-2, `${index}: ${score} and ${scores.webgpu.get(index)}`);
});

test("Deno asks for a token, refuses a gigabyte before it is sent, and survives half a body", { timeout: 120_000 }, async (t) => {
  const { url } = await begin(t, template(t, "deno"), { DEVICE: "cpu", TOKENS: "one,two" });
  await endure(t, url);
});

test("Deno outlives broken bodies, poisonous documents and a slow client", { timeout: 180_000 }, async (t) => {
  const { url } = await begin(t, template(t, "deno"), { DEVICE: "cpu" });
  await fuzz(url);
  await poison(url);
  await drip(t, url);
});

test("Deno, killed in the middle of work, answers as before when it is started again", { timeout: 120_000 }, async (t) => {
  const cwd = template(t, "deno");
  await dieAndReturn(({ port = "0" }) => begin(t, cwd, { DEVICE: "cpu", PORT: port }));
});
