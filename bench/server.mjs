// The server of the benchmark: www/dist, this folder's page, the installed npm packages (the demo's own too) and the models, all with
// the COOP and COEP headers that threads need. On this machine only; it writes nothing.
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { dist, modelRoots } from "../tests/browser/server.mjs";
import { staticHandler } from "../www/serve.mjs";

const here = dirname(fileURLToPath(import.meta.url));

/** Starts on a free port. `models` is the folder that export_onnx.py filled. Returns { url, close }. */
export async function startServer(models) {
  const package_ = staticHandler({ dist, models: [models, ...modelRoots] });
  const served = { "/bench/": "page", "/npm/": "node_modules", "/demo-npm/": "../www/node_modules" };
  const folders = Object.fromEntries(Object.entries(served).map(([prefix, folder]) => [prefix, staticHandler({ dist: join(here, folder) })]));
  const server = createServer((request, response) => {
    response.setHeader("cross-origin-opener-policy", "same-origin");
    response.setHeader("cross-origin-embedder-policy", "require-corp");
    response.setHeader("cross-origin-resource-policy", "same-origin");
    // The package as browsers without relaxed SIMD get it.
    if (request.url.startsWith("/plain/")) {
      if (request.url.startsWith("/plain/wasm/cpu-relaxed/")) {
        response.writeHead(404).end();
        return;
      }
      request.url = request.url.slice("/plain".length);
    }
    const prefix = Object.keys(folders).find((name) => request.url.startsWith(name));
    if (prefix) request.url = request.url.slice(prefix.length - 1);
    void (prefix ? folders[prefix] : package_)(request, response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    }),
  };
}
