// A blank page of the test server with the package loaded, and helpers that bring an error's code out of the browser.
import assert from "node:assert/strict";

const BLANK = `<!doctype html><meta charset="utf-8"><title>test</title><script type="module">
  import { Reranker } from "/index.js";
  globalThis.Reranker = Reranker;
  // What happened, as plain data: { value } or { code, message, name }.
  globalThis.attempt = async (work) => {
    try {
      return { value: await work() };
    } catch (error) {
      return { code: error.code, message: error.message, name: error.name };
    }
  };
  globalThis.model = (name) => new URL("/models/" + name + "/", location.href).href;
  globalThis.kept = {};
  document.title = "ready";
</script>`;

export const blankRoutes = {
  "/test.html": (_request, response) => response.writeHead(200, { "content-type": "text/html" }).end(BLANK),
};

/** Opens the blank page in a context of its own, so that caches start empty. Uncaught errors of the page fail the test. */
export async function openPage(t, browser, server) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.setDefaultTimeout(300_000);
  t.after(async () => {
    await context.close();
    assert.deepEqual(errors, []);
  });
  await page.goto(`${server.url}/test.html`);
  await page.waitForFunction(() => document.title === "ready");
  return page;
}

/** Asserts that `attempt` failed with this code (and message), and returns the outcome. */
export function assertCode(outcome, code, message = /./) {
  assert.equal(outcome.code, code, `expected ${code}, found ${JSON.stringify(outcome)}`);
  assert.equal(outcome.name, "RerankError");
  assert.match(outcome.message, message);
  return outcome;
}

/** For `page.evaluate` or `addInitScript`: WASM is for workers, not for the page's own thread. */
export function refuseWasm() {
  const refuse = () => { throw new Error("WASM in the page's own thread"); };
  for (const name of ["compile", "compileStreaming", "instantiate", "instantiateStreaming", "Module", "Instance"]) WebAssembly[name] = refuse;
}

/**
 * Gives the demo a file from the test's server, under each of the names: Playwright would write a megabyte into the page as text, in one
 * task of its own that takes longer than all others.
 */
export const chooseServed = (page, path, names, type = "") => page.evaluate(async ([path, names, type]) => {
  const blob = await (await fetch(path)).blob();
  const transfer = new DataTransfer();
  for (const name of names) transfer.items.add(new File([blob], name, { type }));
  const input = document.querySelector("#files");
  input.files = transfer.files;
  input.dispatchEvent(new Event("change"));
}, [path, names, type]);
