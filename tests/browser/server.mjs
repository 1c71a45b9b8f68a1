// A server for one test: www/dist and the models as they are, with answers of the test's own in front (`routes`), and a log of requests.
// What a test wants broken is broken here, never in the shipped server.
import { createServer } from "node:http";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { staticHandler } from "../../www/serve.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const dist = join(root, "www/dist");

/** Where `cargo xtask models` puts the big models; xtask says so itself. */
export const modelCache = process.env.FOLIORANK_MODELS ?? join(
  process.env.FOLIORANK_CACHE ?? process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "foliorank", "models",
);
export const modelRoots = [modelCache, join(root, "models")];

/**
 * Starts on a free port, with the build in `folder`. `routes` maps a path to a handler `(request, response, next)`; `next()` gives the usual answer.
 * Returns { url, routes, requests, stop, resume, close }: routes may be changed while it runs.
 */
export async function startServer(routes = {}, folder = dist) {
  const files = staticHandler({ dist: folder, models: modelRoots });
  const requests = [];
  let away = false;
  const server = createServer((request, response) => {
    if (away) {
      response.destroy();
      return;
    }
    const { pathname } = new URL(request.url, "http://localhost");
    requests.push({ path: pathname, range: request.headers.range });
    const next = () => void files(request, response);
    const route = routes[pathname];
    if (route) void route(request, response, next);
    else next();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`, routes, requests,
    /** As if the network were gone: every request breaks off. */
    stop: () => {
      away = true;
      server.closeAllConnections();
    },
    resume: () => { away = false; },
    close: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    }),
  };
}

const TYPES = { js: "text/javascript", html: "text/html", json: "application/json", wasm: "application/wasm" };

/** A route that answers with these bytes. */
export const answer = (body, kind = "js", status = 200) => (_request, response) =>
  response.writeHead(status, { "content-type": TYPES[kind] ?? "application/octet-stream" }).end(body);
