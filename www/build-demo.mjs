// Builds the demo page into dist/demo, and its service worker into dist/sw.js. Large readers become chunks of their own, and the workers,
// WASM and data of pdf.js and tesseract.js are copied beside the page: nothing comes from another host.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { samplePdf } from "./sample-pdf.mjs";

const require = createRequire(import.meta.url);
const json = (path) => JSON.parse(readFileSync(path, "utf8"));

/** The folder of an npm package: packages may hide their package.json. */
function home(name) {
  for (let folder = dirname(require.resolve(name)); ; folder = dirname(folder)) {
    try {
      if (json(join(folder, "package.json")).name === name) return folder;
    } catch {
      if (folder === dirname(folder)) throw new Error(`${name} is not installed: run npm ci`);
    }
  }
}

const LIBRARIES = ["pdfjs-dist", "tesseract.js", "tesseract.js-core", "@tesseract.js-data/eng", "@mozilla/readability", "mammoth", "ai"];

/** What finds and does not rank, and what is for tests. */
const hidden = ({ name, architecture }) => architecture === "bert-sparse-encoder" || name.startsWith("tiny-");

function modelFacts(folder) {
  return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => {
    const { title, licence, architecture, files } = json(join(folder, name, "model.json"));
    const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
    return { name, title, licence, architecture, bytes, dtype: files.weights.dtype };
    // What the page is about first.
  }).filter((model) => !hidden(model)).sort((a, b) => b.architecture.includes("cross") - a.architecture.includes("cross") || a.bytes - b.bytes);
}

function copyLibraries(demo) {
  const [pdfjs, core] = [home("pdfjs-dist"), home("tesseract.js-core")];
  mkdirSync(join(demo, "pdfjs"), { recursive: true });
  // Under a .js name, for servers that do not know .mjs.
  cpSync(join(pdfjs, "legacy/build/pdf.worker.min.mjs"), join(demo, "pdfjs/pdf.worker.js"));
  for (const name of ["cmaps", "standard_fonts", "wasm", "LICENSE"]) cpSync(join(pdfjs, name), join(demo, "pdfjs", name), { recursive: true });
  mkdirSync(join(demo, "ocr/data"), { recursive: true });
  cpSync(join(home("tesseract.js"), "dist/worker.min.js"), join(demo, "ocr/worker.min.js"));
  // Only the network of LSTM cells, with the SIMD that our own WASM needs too.
  for (const ending of ["js", "wasm"]) cpSync(join(core, `tesseract-core-simd-lstm.${ending}`), join(demo, `ocr/tesseract-core-simd-lstm.${ending}`));
  cpSync(join(core, "LICENSE"), join(demo, "ocr/LICENSE"));
  cpSync(join(home("@tesseract.js-data/eng"), "4.0.0_best_int/eng.traineddata.gz"), join(demo, "ocr/data/eng.traineddata.gz"));
}

/** `at` makes a path in www; `common` is what all builds share. */
export async function buildDemo({ at, common }) {
  const demo = at("dist/demo");
  rmSync(demo, { recursive: true, force: true });
  mkdirSync(join(demo, "samples"), { recursive: true });
  copyLibraries(demo);
  cpSync(at("demo/index.html"), join(demo, "index.html"));
  cpSync(at("demo/samples/notice.jpg"), join(demo, "samples/notice.jpg"));
  writeFileSync(join(demo, "samples/flood-handbook.pdf"), samplePdf(readFileSync(at("demo/samples/flood-handbook.txt"), "utf8")));

  const facts = {
    version: json(at("package.json")).version,
    models: modelFacts(at("../models")),
    libraries: LIBRARIES.map((name) => {
      const { version, license } = json(join(home(name), "package.json"));
      return { name, version, licence: license };
    }),
    extras: [
      "pdfjs/pdf.worker.js", "ocr/worker.min.js", "ocr/tesseract-core-simd-lstm.js", "ocr/tesseract-core-simd-lstm.wasm", "ocr/data/eng.traineddata.gz",
      "samples/notice.jpg", "samples/flood-handbook.pdf", ...readdirSync(join(demo, "pdfjs/standard_fonts")).filter((name) => /^(Foxit|Liberation).*\.(pfb|ttf)$/.test(name)).map((name) => `pdfjs/standard_fonts/${name}`),
    ],
  };
  const given = {
    name: "given",
    setup: ({ onResolve, onLoad }) => {
      // The demo uses the package as anybody would: from its published file, not from its sources.
      onResolve({ filter: /^foliorank$/ }, () => ({ path: "../index.js", external: true }));
      // With it come the packages of the providers, which are bundled here: they are this page's to install.
      onResolve({ filter: /^foliorank\/llm$/ }, () => ({ path: at("dist/llm.js") }));
      onResolve({ filter: /^build:facts$/ }, ({ path }) => ({ path, namespace: "facts" }));
      onLoad({ filter: /.*/, namespace: "facts" }, () => ({ contents: JSON.stringify(facts), loader: "json" }));
    },
  };
  const options = {
    ...common, outdir: "dist/demo", minify: true, splitting: true, metafile: true, plugins: [given], loader: { ".md": "text" },
    entryPoints: { demo: "demo/demo.ts", style: "demo/style/demo.css" },
    // Chunks lie beside the page: the readers find their workers relative to themselves.
    chunkNames: "[name]-[hash]",
  };
  // The names of the chunks hold hashes, and the page itself must know them all: they are known after a first build.
  const first = await build({ ...options, write: false });
  // Not those of the language models, which need a network anyway.
  const online = reached(first.metafile, Object.keys(first.metafile.outputs).find((path) => /\/llm-\w+\.js$/.test(path)));
  facts.extras.push(...chunks(first.metafile).filter((name) => !online.has(`dist/demo/${name}`)));
  const { metafile } = await build(options);
  const missing = chunks(metafile).filter((name) => !chunks(first.metafile).includes(name));
  if (missing.length > 0) throw new Error(`build:facts must be imported by the entry alone, but ${missing} changed with it`);

  const files = ["demo/index.html", "demo/style.css", "index.js", "worker.js", "logic-worker.js", ...needed(metafile)];
  await build({
    ...common, format: "iife", sourcemap: false, minify: true, entryPoints: { sw: "demo/sw.ts" }, outdir: "dist",
    define: { FILES: JSON.stringify(files) },
  });
}

const own = (path) => path.replace(/^dist\/demo\//, "");
const chunks = ({ outputs }) => Object.keys(outputs).filter((path) => path.endsWith(".js") && own(path) !== "demo.js").map(own);

/** What a file imports, at once and later, itself included; not what the page itself needs. */
function reached({ outputs }, start) {
  const all = walk(outputs, start, ({ external }) => !external);
  for (const path of walk(outputs, "dist/demo/demo.js", isNeeded)) all.delete(path);
  return all;
}

/** What demo.js imports before anything is asked of it. */
const needed = ({ outputs }) => [...walk(outputs, "dist/demo/demo.js", isNeeded)].map((path) => `demo/${own(path)}`);
const isNeeded = ({ kind, external }) => kind === "import-statement" && !external;

function walk(outputs, start, follow) {
  const found = new Set();
  const visit = (path) => {
    if (found.has(path)) return;
    found.add(path);
    for (const next of outputs[path].imports) if (follow(next)) visit(next.path);
  };
  visit(start);
  return found;
}
