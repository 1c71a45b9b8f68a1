// Builds www/dist: the package (index.js, worker.js, logic-worker.js, main-thread.js, edge.js, llm.js, adapters/, types/) and the demo
// page (demo/).
// It leaves dist/wasm alone: xtask puts the WASM variants there.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const at = (...parts) => join(here, ...parts);
const require = createRequire(import.meta.url);
const pdfjs = dirname(require.resolve("pdfjs-dist/package.json"));

const common = {
  absWorkingDir: here, bundle: true, format: "esm", target: "es2022", sourcemap: true, logLevel: "warning", legalComments: "linked",
};

// Providers' packages are the caller's to install.
await build({ ...common, entryPoints: [{ in: "src/llm/index.ts", out: "llm" }], outdir: "dist", packages: "external" });
await build({ ...common, entryPoints: ["src/index.ts", "src/worker.ts", "src/logic-worker.ts", "src/main-thread.ts"], outdir: "dist" });
await build({ ...common, entryPoints: { edge: "edge/index.ts" }, outdir: "dist" });
// Small, and next to libraries that bundle for themselves: those stay imports.
rmSync(at("dist/adapters"), { recursive: true, force: true });
await build({
  ...common, entryPoints: ["hits", "ai", "langchain", "llamaindex", "orama"].map((name) => `adapters/${name}.ts`), outdir: "dist/adapters", packages: "external",
});

/** The demo uses the package as anybody would: from its published file, not from its sources. */
const publicPackage = {
  name: "public-package",
  setup: ({ onResolve }) => onResolve({ filter: /^foliorank$/ }, () => ({ path: "../index.js", external: true })),
};
rmSync(at("dist/demo"), { recursive: true, force: true });
await build({
  ...common, entryPoints: ["demo/demo.ts", "demo/demo.css"], outdir: "dist/demo", minify: true, splitting: true,
  // Chunks lie beside the page: pdf.ts finds its worker relative to itself.
  chunkNames: "[name]-[hash]", loader: { ".md": "text" },
  plugins: [publicPackage],
});
cpSync(at("demo/index.html"), at("dist/demo/index.html"));

// pdf.js: its worker under a .js name, for servers that do not know .mjs, and its character maps for CJK files.
mkdirSync(at("dist/demo/pdfjs"), { recursive: true });
cpSync(join(pdfjs, "legacy/build/pdf.worker.min.mjs"), at("dist/demo/pdfjs/pdf.worker.js"));
cpSync(join(pdfjs, "cmaps"), at("dist/demo/pdfjs/cmaps"), { recursive: true });
cpSync(join(pdfjs, "LICENSE"), at("dist/demo/pdfjs/LICENSE"));

const typescript = dirname(require.resolve("typescript/package.json"));
const tsc = join(typescript, "bin/tsc");
rmSync(at("dist/types"), { recursive: true, force: true });
execFileSync(process.execPath, [tsc, "-p", at("tsconfig.json")], { stdio: "inherit" });
execFileSync(process.execPath, [tsc, "-p", at("tsconfig.types.json")], { stdio: "inherit" });
