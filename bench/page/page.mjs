// The page of the benchmark: opens contenders (ours, or a peer in a worker of its own) and times one piece of work at a time.
// run.mjs decides what runs when; nothing here starts by itself. Times are from the call on the page to the answer on the page.

/** Ours, as an application uses it: the public package, its own worker, texts in and a ranking out. */
async function openOurs({ model, device, threads, wasmUrl, variant: wanted }) {
  const { Reranker } = await import("/index.js");
  const reranker = await Reranker.load({ model: `/models/${model}/`, device, threads, ...(wasmUrl ? { wasmUrl } : {}) });
  const { device: used, variant } = reranker.info;
  if (used.kind !== device) throw new Error(`ours was asked to run on ${device} and runs on ${used.kind}: ${used.reason}`);
  if (wanted && variant !== wanted) throw new Error(`the ${wanted} variant was to be measured, and ${variant} runs`);
  const run = async ({ query, documents, windows }) => {
    const { results, usage, device: ran } = await reranker.rerank(query, documents, { ...windows, rawScores: true });
    if (ran !== device) throw new Error(`ours was asked to run on ${device} and ran on ${ran}`);
    const scores = new Array(documents.length);
    for (const { index, relevanceScore } of results) scores[index] = relevanceScore;
    return { scores, usage };
  };
  // Further workers start after the first is ready; what is measured is the pool as it stays.
  const prepare = async () => {
    await reranker.rerank("a", ["b"]);
    while (reranker.info.threads < threads) await new Promise((resolve) => { setTimeout(resolve, 50); });
  };
  return { run, prepare, close: () => reranker.dispose(), about: { variant, adapter: used.adapter } };
}

/** A peer in a worker that answers every message once. */
async function openPeer({ script, ...options }) {
  const worker = new Worker(`/bench/${script}`, { type: "module" });
  let settle;
  worker.onmessage = ({ data }) => (data.error === undefined ? settle.resolve(data.value) : settle.reject(new Error(data.error)));
  worker.onerror = (event) => settle.reject(new Error(event.message || `${script} could not be started`));
  const ask = (message) => new Promise((resolve, reject) => {
    settle = { resolve, reject };
    worker.postMessage(message);
  });
  const about = await ask({ kind: "open", options });
  return {
    about, close: () => worker.terminate(),
    prepare: (work) => ask({ kind: "prepare", work }), run: (work) => ask({ kind: "run", work }),
  };
}

const open = (contender) => (contender.script ? openPeer(contender) : openOurs(contender));
const contenders = new Map();

globalThis.bench = {
  environment: () => ({ threads: navigator.hardwareConcurrency, crossOriginIsolated, userAgent: navigator.userAgent }),

  /** Loads a contender and hands it the work it may prepare outside the timing. */
  async open(name, contender, work) {
    const opened = await open(contender);
    contenders.set(name, opened);
    await opened.prepare(work);
    return opened.about;
  },

  /** One timed run: { ms, scores, usage }. */
  async run(name, work) {
    const begun = performance.now();
    const { scores, usage } = await contenders.get(name).run(work);
    return { ms: performance.now() - begun, scores, usage };
  },

  /** From nothing (no module, no worker) to the first score; the page must be a fresh one. */
  async cold(contender, work) {
    const begun = performance.now();
    const opened = await open(contender);
    const { scores } = await opened.run(work);
    return { ms: performance.now() - begun, scores };
  },

  async adapter() {
    const adapter = await navigator.gpu?.requestAdapter();
    if (!adapter) return null;
    const { vendor, architecture, device, description } = adapter.info;
    return { vendor, architecture, device, description, software: adapter.info.isFallbackAdapter === true || /swiftshader|llvmpipe/i.test(`${architecture} ${device} ${description}`) };
  },
};
document.title = "ready";
