// The TypeScript sources as one module for the tests, so that all of them see the same classes. Nothing is written to disk.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const www = join(dirname(fileURLToPath(import.meta.url)), "..");

export async function bundle(files) {
  const { outputFiles } = await build({
    stdin: { contents: files.map((file) => `export * from ${JSON.stringify(`./${file}`)};`).join("\n"), resolveDir: www, loader: "ts" },
    bundle: true, format: "esm", target: "es2022", write: false, sourcemap: false, logLevel: "silent", loader: { ".md": "text" },
    define: { "import.meta.url": '"file:///test/index.js"' },
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

export const source = await bundle([
  "src/errors.ts", "src/validate.ts", "src/probe.ts", "src/device.ts", "src/download.ts", "src/cache.ts", "src/weights.ts", "src/failure-watch.ts",
  "src/engine.ts", "src/limit.ts", "src/judge-groups.ts", "src/service.ts", "src/connect.ts", "src/client.ts", "src/threads.ts", "src/pieces.ts", "src/tally.ts",
  "src/merge.ts", "src/pool.ts", "src/reranker.ts", "src/embedder.ts", "src/logic/client.ts", "src/logic/service.ts", "src/logic/stored-index.ts",
  "demo/read/split.ts", "demo/read/lines.ts", "demo/read/image-size.ts", "demo/rerank/sheet.ts", "demo/find/passages.ts", "demo/compare/agreement.ts", "demo/ask/cited.ts", "demo/ask/written.ts",
  "demo/ask/candidates.ts",
]);

/** For `assert.rejects`: the error has this code, and its message matches. */
export const code = (expected, message = /./) => (error) => {
  if (error?.code !== expected || !message.test(error.message)) {
    throw new Error(`expected ${expected} ${message}, found ${error?.code}: ${error?.message}`, { cause: error });
  }
  return true;
};
