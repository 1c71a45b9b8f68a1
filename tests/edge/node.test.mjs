// The template for Node, on Node.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { speak, start, template, tiny } from "./host.mjs";

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
  const body = JSON.stringify({ query: "bridge", documents: ["a bridge"] });
  const post = (headers) => fetch(`${url}/rerank`, { method: "POST", headers, body });
  assert.equal((await post({})).status, 401);
  assert.equal((await post({ authorization: "Bearer two" })).status, 200);

  const { hostname, port } = new URL(url);
  const raw = async (text) => {
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    socket.write(text);
    return socket;
  };
  const huge = await raw(`POST /rerank HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer one\r\nContent-Length: ${2 ** 30}\r\n\r\n{"query"`);
  const [answer] = await once(huge, "data");
  assert.match(String(answer), /^HTTP\/1\.1 413 /);
  huge.destroy();
  const half = await raw(`POST /rerank HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer one\r\nContent-Length: 100\r\n\r\n{"query"`);
  half.destroy();
  assert.equal((await post({ authorization: "Bearer one" })).status, 200);
});
