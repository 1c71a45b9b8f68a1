// The template for Node, on Node.
import assert from "node:assert/strict";
import { test } from "node:test";
import { endure, speak, start, template, tiny } from "./host.mjs";

test("Node serves what clients ask for, and ends when told to", { timeout: 120_000 }, async (t) => {
  const cwd = template(t, "node");
  const { url, child, ended } = await start(t, process.execPath, ["server.mjs"], { cwd, env: { MODEL: tiny } });
  const { health } = await speak(fetch, url);
  assert.equal(health.device, "cpu");
  child.kill("SIGTERM");
  assert.deepEqual(await ended, { code: 0, signal: null });
});

test("Node asks for a token, refuses a gigabyte before it is sent, and survives half a body", { timeout: 120_000 }, async (t) => {
  const cwd = template(t, "node");
  const { url } = await start(t, process.execPath, ["server.mjs"], { cwd, env: { MODEL: tiny, TOKENS: "one,two" } });
  await endure(t, url);
});
