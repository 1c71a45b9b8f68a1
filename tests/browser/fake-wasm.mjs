// A stand-in for one WASM variant, as the text of its foliorank.js: for what a sound module cannot be made to do (trap, hang, lose its
// device) and for looking at the page. It scores a document by the share of the query's words in it and takes one batch per document.
// A document that is exactly "trap" makes it trap; on "webgpu" one that is "lose" rejects with device_lost, one that is "garbage" with internal.

// (module (func (export "trap") unreachable))
const TRAP = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 8, 1, 4, 116, 114, 97, 112, 0, 0, 10, 5, 1, 3, 0, 0, 11];

/** options: delayMs per batch, warmUpMs {webgpu, cpu}, selfTest {webgpu, cpu}: "ok" | "wrong" | "trap", stray: the trap happens in a task of its own, "timer" or "promise". */
export function fakeGlue(options = {}) {
  return `
    const options = ${JSON.stringify({ delayMs: 0, warmUpMs: { webgpu: 1, cpu: 2 }, selfTest: {}, stray: null, ...options })};
    const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const failure = (code, message) => Object.assign(new Error(message), { code });
    let trap;
    export default async function init() {
      trap = (await WebAssembly.instantiate(new Uint8Array(${JSON.stringify(TRAP)}))).instance.exports.trap;
    }
    export const version = () => "0.0.0-fake";
    const words = (text) => new Set(text.toLowerCase().match(/[a-z]{4,}/g) ?? []);
    function score(query, text) {
      const wanted = [...words(query)];
      const there = words(text);
      return wanted.length === 0 ? 0 : wanted.filter((word) => there.has(word)).length / wanted.length;
    }
    export class Engine {
      static async load(manifest, tokenizer, weights, device) {
        const engine = new Engine();
        engine.manifest = JSON.parse(manifest);
        if (weights[0] === 0xff) throw failure("checksum", "weights: expected another sha256");
        engine.device = device;
        return engine;
      }
      static async warmUp(_manifest, device) { return options.warmUpMs[device]; }
      async selfTest() {
        const result = options.selfTest[this.device] ?? "ok";
        if (result === "trap") trap();
        if (result === "wrong") throw failure("self_test", "expected 9.2, found 0.0");
        return 0.01;
      }
      info() {
        return { model: this.manifest.name, architecture: this.manifest.architecture, device: this.device, parameters: 1, maxLength: 512,
          score: "logit", licence: this.manifest.licence, version: version() };
      }
      async rerank(query, documents, { topN }, onBatch) {
        const scores = [];
        for (const [index, text] of documents.entries()) {
          if (text === "trap") {
            if (!options.stray) trap();
            if (options.stray === "timer") setTimeout(() => trap());
            else void Promise.resolve().then(() => trap());
            await new Promise(() => {});
          }
          if (text === "lose" && this.device === "webgpu") throw failure("device_lost", "the device is gone");
          if (text === "garbage" && this.device === "webgpu") throw failure("internal", "a score is not a number");
          scores.push(score(query, text));
          await wait(options.delayMs);
          const progress = { batch: index + 1, batches: documents.length, tokens: (index + 1) * 100, totalTokens: documents.length * 100 };
          if (onBatch && !(await onBatch(progress))) throw failure("aborted", "aborted");
        }
        const order = documents.map((_, index) => index).sort((a, b) => scores[b] - scores[a] || a - b).slice(0, topN);
        return {
          order: Uint32Array.from(order), scores: Float32Array.from(order, (index) => scores[index]),
          passages: Uint32Array.from(order.flatMap((index) => {
            const text = documents[index];
            const start = text.length > 400 ? text.indexOf(". ", text.length / 3) + 2 : 0;
            return [start, text.length > 400 ? Math.max(start, text.indexOf(". ", (text.length * 2) / 3) + 1) : text.length];
          })),
          usage: { tokens: documents.length * 100, batches: documents.length, paddedTokens: documents.length * 7, passages: documents.length },
          timing: { tokenizeMs: 1, scoreMs: 2 },
        };
      }
      free() {}
    }`;
}

/** Routes that put a fake in the place of every variant. */
export function fakeRoutes(options) {
  const script = (_request, response) => response.writeHead(200, { "content-type": "text/javascript" }).end(fakeGlue(options));
  const binary = (_request, response) => response.writeHead(200, { "content-type": "application/wasm" }).end("fake");
  return Object.fromEntries(["cpu", "cpu-relaxed", "gpu"].flatMap((variant) => [
    [`/wasm/${variant}/foliorank.js`, script], [`/wasm/${variant}/foliorank_bg.wasm`, binary],
  ]));
}

/** Routes for a model that only the fake understands. */
export function fakeModelRoutes(name = "fake") {
  const weights = Buffer.alloc(1000, 1);
  const manifest = {
    format: 1, name, title: name, licence: "MIT", attribution: "", architecture: "bert-cross-encoder",
    dimensions: { vocabulary: 100, hidden: 8, feed_forward: 16 },
    files: { tokenizer: { path: "tokenizer.json", bytes: 2, sha256: "t" }, weights: { path: "model.safetensors", bytes: 1000, sha256: "w" } },
  };
  const bytes = (body, type) => (_request, response) => response.writeHead(200, { "content-type": type, "content-length": body.length }).end(body);
  return {
    [`/models/${name}/model.json`]: bytes(JSON.stringify(manifest), "application/json"),
    [`/models/${name}/tokenizer.json`]: bytes("{}", "application/json"),
    [`/models/${name}/model.safetensors`]: bytes(weights, "application/octet-stream"),
  };
}
