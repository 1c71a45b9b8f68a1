// The static server: MIME types, ranges, ETags, model roots in order, and nothing outside of its folders.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { staticHandler } from "../serve.mjs";

let folder;
let server;
let base;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "serve-"));
  for (const path of ["dist/demo", "first/m", "second/m", "dist-secret"]) mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(join(folder, "dist/demo/index.html"), "<!doctype html>");
  writeFileSync(join(folder, "dist/a.wasm"), "0123456789");
  writeFileSync(join(folder, "dist/empty.js"), "");
  writeFileSync(join(folder, "secret.txt"), "secret");
  writeFileSync(join(folder, "dist-secret/x.txt"), "secret");
  writeFileSync(join(folder, "first/m/model.json"), "first");
  writeFileSync(join(folder, "second/m/model.json"), "second");
  writeFileSync(join(folder, "second/m/tokenizer.json"), "second");
  const models = [join(folder, "first"), join(folder, "second"), join(folder, "not-there")];
  server = createServer(staticHandler({ dist: join(folder, "dist"), models }));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${server.address().port}`;
});
after(() => { server.closeAllConnections(); server.close(); rmSync(folder, { recursive: true }); });

test("files have the type that browsers insist on, and folders their index", async () => {
  assert.equal((await fetch(`${base}/a.wasm`)).headers.get("content-type"), "application/wasm");
  assert.match((await fetch(`${base}/empty.js`)).headers.get("content-type"), /^text\/javascript/);
  assert.equal(await (await fetch(`${base}/`)).text(), "<!doctype html>");
  assert.equal((await fetch(`${base}/nothing`)).status, 404);
  assert.equal((await fetch(`${base}/a.wasm`, { method: "POST" })).status, 405);
});

test("the first model root that has a file wins", async () => {
  assert.equal(await (await fetch(`${base}/models/m/model.json`)).text(), "first");
  assert.equal(await (await fetch(`${base}/models/m/tokenizer.json`)).text(), "second");
});

test("ranges are honoured, and refused where there is nothing", async () => {
  const part = async (range) => {
    const response = await fetch(`${base}/a.wasm`, { headers: { range } });
    return [response.status, response.headers.get("content-range"), response.status === 206 ? await response.text() : ""];
  };
  assert.deepEqual(await part("bytes=3-"), [206, "bytes 3-9/10", "3456789"]);
  assert.deepEqual(await part("bytes=2-4"), [206, "bytes 2-4/10", "234"]);
  assert.deepEqual(await part("bytes=-2"), [206, "bytes 8-9/10", "89"]);
  assert.deepEqual(await part("bytes=10-"), [416, "bytes */10", ""]);
  assert.equal((await part("pages=1"))[0], 200);
});

test("an unchanged file is not sent again", async () => {
  const etag = (await fetch(`${base}/a.wasm`)).headers.get("etag");
  assert.equal((await fetch(`${base}/a.wasm`, { headers: { "if-none-match": etag } })).status, 304);
  writeFileSync(join(folder, "dist/a.wasm"), "01234567890");
  assert.equal((await fetch(`${base}/a.wasm`, { headers: { "if-none-match": etag } })).status, 200);
});

test("nothing outside of the folders can be had", async () => {
  // fetch would tidy these paths up before sending them.
  const status = (path) => new Promise((resolve) => {
    request(base, { path }, (response) => { response.resume(); resolve(response.statusCode); }).end();
  });
  for (const path of ["/../secret.txt", "/%2e%2e/secret.txt", "/demo/..%2f..%2fsecret.txt", "/models/../../secret.txt", "/models/m/..%2f..%2f..%2fsecret.txt", "/..%2fdist-secret/x.txt"]) {
    assert.equal(await status(path), 404, path);
  }
  assert.equal(await status("/%00"), 400);
  assert.equal(await status("/%E0%A4%A"), 400);
});
