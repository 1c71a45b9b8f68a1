// Builds www/dist: the package (index.js, worker.js, logic-worker.js, main-thread.js, edge.js, llm.js, adapters/, types/) and the demo
// page (demo/, sw.js; see build-demo.mjs).
// It leaves dist/wasm alone: xtask puts the WASM variants there.
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildDemo } from "./build-demo.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const at = (...parts) => join(here, ...parts);
const require = createRequire(import.meta.url);

const common = {
  absWorkingDir: here, bundle: true, format: "esm", target: "es2022", sourcemap: true, logLevel: "warning", legalComments: "linked",
};

// Providers' packages are the caller's to install.
await build({ ...common, entryPoints: [{ in: "src/llm/index.ts", out: "llm" }], outdir: "dist", packages: "external" });
await build({ ...common, entryPoints: ["src/index.ts", "src/worker.ts", "src/logic-worker.ts", "src/main-thread.ts"], outdir: "dist" });
await build({ ...common, entryPoints: { edge: "edge/index.ts" }, outdir: "dist" });
// Small, and next to libraries that bundle for themselves: those stay imports, and so does the package itself (tsconfig's path to its
// source would be followed).
rmSync(at("dist/adapters"), { recursive: true, force: true });
await build({
  ...common, entryPoints: ["hits", "ai", "langchain", "llamaindex", "orama", "react"].map((name) => `adapters/${name}.ts`), outdir: "dist/adapters", packages: "external",
  tsconfigRaw: {},
});

await buildDemo({ at, common });

const typescript = dirname(require.resolve("typescript/package.json"));
const tsc = join(typescript, "bin/tsc");
rmSync(at("dist/types"), { recursive: true, force: true });
execFileSync(process.execPath, [tsc, "-p", at("tsconfig.json")], { stdio: "inherit" });
execFileSync(process.execPath, [tsc, "-p", at("tsconfig.types.json")], { stdio: "inherit" });
