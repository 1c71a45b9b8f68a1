// The template for Node, on Node.
import assert from "node:assert/strict";
import { test } from "node:test";
import { dieAndReturn, drip, fuzz, poison } from "./faults.mjs";
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

test("Node outlives broken bodies, poisonous documents and a slow client", { timeout: 180_000 }, async (t) => {
  const { url } = await start(t, process.execPath, ["server.mjs"], { cwd: template(t, "node"), env: { MODEL: tiny } });
  await fuzz(url);
  await poison(url);
  await drip(t, url);
});

test("Node, killed in the middle of work, answers as before when it is started again", { timeout: 120_000 }, async (t) => {
  const cwd = template(t, "node");
  await dieAndReturn(({ port = "0" }) => start(t, process.execPath, ["server.mjs"], { cwd, env: { MODEL: tiny, PORT: port } }));
});
