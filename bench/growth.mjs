// Growth: what one token costs, and how much WASM memory it takes, as the number of documents grows. Ours only.
import { median } from "./results.mjs";
import { shortDocuments } from "./texts.mjs";

const MODEL = "ms-marco-minilm-l3";
const QUERY = "new bridge";
/** Short, so that ten thousand of them take minutes and not hours. */
const WORDS = 6;
/** Documents, and how often: a short run is repeated, a long one is its own average. */
const SIZES = [{ documents: 10, runs: 9 }, { documents: 100, runs: 5 }, { documents: 1_000, runs: 1 }, { documents: 10_000, runs: 1 }];
const MOST = 10_000;
/** --quick ends here. */
const QUICK = 1_000;

/** Bytes of the WASM memory of the package's worker: its glue, asked again, hands out the instance it already has. */
async function wasmBytes(page, variant) {
  const worker = page.workers().find((found) => new URL(found.url()).pathname === "/worker.js");
  return worker.evaluate(async (glue) => (await (await import(glue)).default()).memory.buffer.byteLength, `/wasm/${variant}/foliorank.js`);
}

/** One row for each number of documents, each in a fresh page so that memory starts anew. */
export async function measureGrowth(openPage, device, { quick }) {
  // A small size takes its documents from all over the large one: the same mix of lengths.
  const all = shortDocuments(MOST, WORDS);
  const rows = [];
  for (const { documents, runs } of SIZES.filter((size) => !quick || size.documents <= QUICK)) {
    const page = await openPage();
    const work = { query: QUERY, documents: all.filter((_, index) => index % (MOST / documents) === 0) };
    const few = { ...work, documents: work.documents.slice(0, 10) };
    const { variant } = await page.evaluate(([device, model, few]) => bench.open("ours", { device, model, threads: 1 }, few), [device, MODEL, few]);
    await page.evaluate((few) => bench.run("ours", few), few);
    const loaded = await wasmBytes(page, variant);
    const times = [];
    let usage;
    for (let run = 0; run < runs; run += 1) {
      const done = await page.evaluate((work) => bench.run("ours", work), work);
      times.push(done.ms);
      usage = done.usage;
    }
    const bytes = await wasmBytes(page, variant);
    await page.context().close();
    const ms = median(times);
    rows.push({ documents, tokens: usage.tokens, padded_tokens: usage.paddedTokens, ms, us_per_token: (1000 * ms) / usage.tokens, wasm_mib_loaded: loaded / 2 ** 20, wasm_mib: bytes / 2 ** 20 });
    console.log(`growth ${device} ${documents} documents: ${(ms / 1000).toFixed(2)} s, ${rows.at(-1).us_per_token.toFixed(0)} us a token, ${rows.at(-1).wasm_mib.toFixed(1)} MiB`);
  }
  return rows;
}

export function growthMarkdown({ machine, device, command, rows }) {
  const lines = rows.map((row) =>
    `| ${row.documents} | ${row.tokens} | ${row.padded_tokens} | ${(row.ms / 1000).toFixed(2)} | ${row.us_per_token.toFixed(0)} | ${row.wasm_mib_loaded.toFixed(1)} | ${row.wasm_mib.toFixed(1)} |`);
  return `# Growth

Written by \`${command}\`: documents of ${WORDS} words, the first 3 layers of the default model, ${device}, one thread (a call too
small to share has one, however many there are). ${machine}.
Each line is a fresh page; up to 100 documents the median of several calls. Memory is that of the WASM instance, which never shrinks:
after ten documents, and after the call.

| documents | tokens | of it padding | seconds | us a token | MiB before | MiB after |
|---|---|---|---|---|---|---|
${lines.join("\n")}
`;
}

const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM] = [640, 220, 70, 36, 40];

/** One panel: a value from 0 over documents on a logarithmic axis. */
function panel({ title, unit, value, rows, top }) {
  const [first, last] = [rows[0].documents, rows.at(-1).documents].map(Math.log10);
  const most = Math.max(...rows.map(value)) * 1.15;
  const x = (row) => LEFT + ((Math.log10(row.documents) - first) / (last - first || 1)) * (WIDTH - LEFT - 40);
  const y = (amount) => top + HEIGHT - BOTTOM - (amount / most) * (HEIGHT - TOP - BOTTOM);
  const points = rows.map((row) => ({ row, x: x(row).toFixed(1), y: y(value(row)).toFixed(1) }));
  return [
    `<text x="${LEFT}" y="${top + 20}" font-weight="bold">${title}</text>`,
    `<path d="M${LEFT} ${top + TOP}V${y(0)}H${WIDTH - 30}" fill="none" stroke="#888"/>`,
    `<text x="${LEFT - 8}" y="${y(0) + 4}" text-anchor="end">0 ${unit}</text>`,
    `<polyline points="${points.map((point) => `${point.x},${point.y}`).join(" ")}" fill="none" stroke="#1f6feb" stroke-width="2"/>`,
    ...points.flatMap((point) => [
      `<circle cx="${point.x}" cy="${point.y}" r="4" fill="#1f6feb"/>`,
      `<text x="${point.x}" y="${Number(point.y) - 9}" text-anchor="middle">${value(point.row).toFixed(0)}</text>`,
      `<text x="${point.x}" y="${y(0) + 18}" text-anchor="middle">${point.row.documents}</text>`,
    ]),
  ].join("\n");
}

export function growthPlot({ device, rows }) {
  const upper = panel({ title: `Time a token over documents, ${device}`, unit: "us", value: (row) => row.us_per_token, rows, top: 0 });
  const lower = panel({ title: "WASM memory over documents", unit: "MiB", value: (row) => row.wasm_mib, rows, top: HEIGHT });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${2 * HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
${upper}
${lower}
</svg>
`;
}
