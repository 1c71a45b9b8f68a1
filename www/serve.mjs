// A static server for this machine only: dist at /, model folders at /models/<name>/. Used by `cargo xtask demo` and by the tests.
//   node serve.mjs <port> <dist folder> <model root>...
// The first root that has the file wins. It knows ranges, ETags and MIME types; it writes nothing and lists nothing.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, resolve, sep } from "node:path";
import { pipeline } from "node:stream";
import { pathToFileURL } from "node:url";

const TYPES = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8", ".json": "application/json; charset=utf-8", ".map": "application/json; charset=utf-8",
  ".wasm": "application/wasm", ".txt": "text/plain; charset=utf-8", ".md": "text/markdown; charset=utf-8", ".png": "image/png",
  ".svg": "image/svg+xml", ".pdf": "application/pdf", ".ts": "text/plain; charset=utf-8",
};

/** The file of a URL path in a root, or undefined: outside of it, or not a file. */
async function find(root, path) {
  const file = resolve(join(root, path));
  if (file !== resolve(root) && !file.startsWith(resolve(root) + sep)) return undefined;
  const info = await stat(file).catch(() => undefined);
  if (info?.isFile()) return { file, info };
  return undefined;
}

async function locate(path, dist, models) {
  if (!path.startsWith("/models/")) return find(dist, path.endsWith("/") ? `${path}index.html` : path);
  for (const root of models) {
    const found = await find(root, path.slice("/models".length));
    if (found) return found;
  }
  return undefined;
}

/** Start and end (inclusive) of a single range; null when it cannot be satisfied; undefined when there is none to honour. */
function range(header, size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const start = match[1] === "" ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === "" || match[2] === "" ? size - 1 : Math.min(Number(match[2]), size - 1);
  return start > end || start >= size ? null : { start, end };
}

/** A request handler, to be used alone or behind another one. */
export function staticHandler({ dist, models = [] }) {
  return async (request, response) => {
    const answer = (status, headers = {}) => response.writeHead(status, headers).end(status >= 400 ? `${status}\n` : undefined);
    if (request.method !== "GET" && request.method !== "HEAD") return answer(405, { allow: "GET, HEAD" });
    let path;
    try {
      path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    } catch {
      return answer(400);
    }
    if (path.includes("\0")) return answer(400);
    if (path === "/") return answer(302, { location: "/demo/" });
    const found = await locate(path, dist, models);
    if (!found) return answer(404, { "content-type": "text/plain; charset=utf-8" });

    const { file, info } = found;
    const etag = `"${info.size.toString(36)}-${Math.floor(info.mtimeMs).toString(36)}"`;
    const headers = {
      "content-type": TYPES[extname(file).toLowerCase()] ?? "application/octet-stream", etag, "accept-ranges": "bytes",
      "cache-control": "no-cache", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
    };
    if (request.headers["if-none-match"] === etag) return answer(304, headers);
    const ifRange = request.headers["if-range"];
    const part = ifRange === undefined || ifRange === etag ? range(request.headers.range, info.size) : undefined;
    if (part === null) return answer(416, { "content-range": `bytes */${info.size}` });
    const { start, end } = part ?? { start: 0, end: info.size - 1 };
    response.writeHead(part ? 206 : 200, {
      ...headers, "content-length": Math.max(0, end - start + 1),
      ...(part ? { "content-range": `bytes ${start}-${end}/${info.size}` } : {}),
    });
    if (request.method === "HEAD" || info.size === 0) return response.end();
    return pipeline(createReadStream(file, { start, end }), response, () => undefined);
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [port, dist, ...models] = process.argv.slice(2);
  if (!/^\d+$/.test(port ?? "") || !dist) {
    console.error("usage: node serve.mjs <port> <dist folder> <model root>...");
    process.exit(2);
  }
  const server = createServer(staticHandler({ dist, models }));
  server.on("error", (error) => {
    console.error(error.code === "EADDRINUSE" ? `port ${port} is taken; name another one` : String(error));
    process.exit(1);
  });
  server.listen(Number(port), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/demo/`));
}
