// Cuts a model's files into parts that may be static assets (25 MiB each), for a worker without R2: `node parts.mjs path/to/model`.
// Writes assets/<name of the folder>/<file>.0, .1, ...
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";

const [model] = process.argv.slice(2);
if (!model) throw new Error("expected the folder of a model, with a model.json");
const LARGEST = 24 * 2 ** 20;
const { tokenizer, weights } = JSON.parse(readFileSync(join(model, "model.json"), "utf8")).files;
const folder = join("assets", basename(resolve(model)));
mkdirSync(folder, { recursive: true });
for (const name of ["model.json", tokenizer.path, weights.path]) {
  const bytes = readFileSync(join(model, name));
  const parts = Math.ceil(bytes.length / LARGEST);
  for (let part = 0; part < parts; part += 1) writeFileSync(join(folder, `${name}.${part}`), bytes.subarray(part * LARGEST, (part + 1) * LARGEST));
  console.log(`${folder}/${name}: ${bytes.length} bytes, ${parts === 1 ? "1 part" : `${parts} parts`}`);
}
