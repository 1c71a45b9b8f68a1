// Run by logic.test.mjs on several hosts: `logic-host.mjs DIST MODEL`. Prints one line of JSON.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { Buffer } from "node:buffer";
import { pathToFileURL } from "node:url";

const [dist, folder] = process.argv.slice(2);
const module = (path) => import(pathToFileURL(join(dist, path)));
const { Reranker } = await module("main-thread.js");
const { exportGroups, generateNegatives, strategies } = await module("index.js");
const variant = async (name) => ({ glue: await module(`wasm/${name}/foliorank.js`), module: await WebAssembly.compile(readFileSync(join(dist, `wasm/${name}/foliorank_bg.wasm`))) });

const logic = await variant("logic");
const manifest = readFileSync(join(folder, "model.json"), "utf8");
const { tokenizer, weights } = JSON.parse(manifest).files;
const reranker = await Reranker.load({
  device: "cpu", logic, wasm: { ...await variant("cpu"), variant: "cpu" },
  files: { manifest, tokenizer: readFileSync(join(folder, tokenizer.path)), weights: readFileSync(join(folder, weights.path)) },
});
const documents = ["An old stone bridge over the river.", "A museum in Berlin.", "A pool."];
const ask = (options) => reranker.rerank("stone bridge", documents, { rawScores: true, ...options });
const order = ({ results }) => results.map(({ index }) => index);
const sorted = await ask({ strategy: "prp-heapsort:k=3" });
const text = "In 2021, Northwind Energy sold its Danish gas business for $40 million. Revenue rose by 12% in 2021.";
const { groups } = await generateNegatives({ text, title: "report" }, { judge: reranker, logic });
// A page that is only an image, of 1 x 1 pixel: with the variant `images` a model gets it, without it the caller is told.
const image = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==", "base64");
const seen = [];
const llm = async ({ images = [] }) => {
  seen.push(...images.map(({ mediaType, width, height }) => [mediaType, width, height]));
  return { text: "I see nothing.", inputTokens: 1, outputTokens: 1 };
};
const look = (logic) => generateNegatives({ image }, { judge: reranker, llm, logic, cache: false });
const { code: withoutImages } = await look(logic).catch((error) => error);
const { groups: ofImage } = await look({ ...logic, images: await variant("images") }).catch((error) => ({ groups: String(error) }));
console.log(JSON.stringify({
  withoutImages, seen, ofImage,
  names: (await strategies({ logic })).map(({ name }) => name), plain: order(await ask({})),
  strategy: { order: order(sorted), report: sorted.strategy },
  fused: order(await ask({ firstStage: [2, 1, 3], fuse: "z:1" })),
  groups: groups.length, csv: (await exportGroups(groups, "triplets", { logic })).includes("\n"),
}));
process.exit(0);
