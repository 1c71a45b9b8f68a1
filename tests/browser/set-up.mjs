// What the browser tests of one file share: a browser with WebGPU, and a server with the blank page. Importing it starts both, so a
// test that needs neither must not import it.
import { after, before } from "node:test";
import { launch } from "./chromium.mjs";
import { blankRoutes, openPage } from "./page.mjs";
import { startServer } from "./server.mjs";

export let browser;
export let server;
before(async () => {
  browser = await launch();
  server = await startServer({ ...blankRoutes });
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** The blank page with the package in it, in a context of its own. */
export const openBlank = (t) => openPage(t, browser, server);
