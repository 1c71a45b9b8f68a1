// What every peer does around its network, as good as we can make it: the same windows as ours, sequences sorted by length, batches of
// 16 padded to their longest, the best window of each document. Runs in the peer's worker. The runtimes are in the *.worker.mjs files.
//
// A runtime has encode(text) -> ids without special tokens, tensors(batch) -> inputs, forward(inputs) -> one logit a row, and
// optionally pairs(query, texts) -> inputs, its own recipe for documents that fit.

const BATCH = 16;
const MAX_LENGTH = 512;
const [CLS, SEP, PAD] = [101, 102, 0];

/** Token ranges of a document's windows: the rule of src/page.rs. */
export function cut(tokens, room, { window, overlap }) {
  if (tokens <= room) return [[0, tokens]];
  const size = Math.min(window, room);
  const stride = size - Math.min(Math.floor((overlap * size) / window), size - 1);
  const last = tokens - size;
  const starts = [];
  for (let start = 0; start < last; start += stride) starts.push(start);
  return [...starts, last].map((start) => [start, start + size]);
}

/** Chunks of at most 16, longest first. */
export function batches(items, length) {
  const sorted = [...items].sort((a, b) => length(b) - length(a));
  return Array.from({ length: Math.ceil(sorted.length / BATCH) }, (_, i) => sorted.slice(i * BATCH, (i + 1) * BATCH));
}

/** Sequences [CLS] query [SEP] window [SEP] as row-major int64 ids, mask and segments. */
export function pad(sequences, second) {
  const width = Math.max(...sequences.map((ids) => ids.length));
  const size = sequences.length * width;
  const [ids, mask, segments] = [new BigInt64Array(size).fill(BigInt(PAD)), new BigInt64Array(size), new BigInt64Array(size)];
  sequences.forEach((sequence, row) => sequence.forEach((id, column) => {
    const at = row * width + column;
    ids[at] = BigInt(id);
    mask[at] = 1n;
    segments[at] = column >= second ? 1n : 0n;
  }));
  return { input_ids: ids, attention_mask: mask, token_type_ids: segments, shape: [sequences.length, width] };
}

/** Everything before the network: a list of { inputs, owners }, owners being document indices, a row each. */
function prepare(runtime, { query, documents, windows }) {
  const fits = !windows && runtime.pairs;
  if (fits) {
    const items = documents.map((text, owner) => ({ text, owner }));
    return batches(items, ({ text }) => text.length).map((rows) => ({
      inputs: runtime.pairs(query, rows.map(({ text }) => text)), owners: rows.map(({ owner }) => owner),
    }));
  }
  const head = [CLS, ...runtime.encode(query), SEP];
  const room = MAX_LENGTH - head.length - 1;
  const items = documents.flatMap((text, owner) => {
    const ids = runtime.encode(text);
    return cut(ids.length, room, windows ?? { window: 192, overlap: 48 }).map(([start, end]) => ({ owner, ids: [...head, ...ids.slice(start, end), SEP] }));
  });
  return batches(items, ({ ids }) => ids.length).map((rows) => ({
    inputs: runtime.tensors(pad(rows.map(({ ids }) => ids), head.length)), owners: rows.map(({ owner }) => owner),
  }));
}

async function score(runtime, prepared, count) {
  const scores = new Array(count).fill(-Infinity);
  for (const { inputs, owners } of prepared) {
    const logits = await runtime.forward(inputs);
    owners.forEach((owner, row) => { scores[owner] = Math.max(scores[owner], logits[row]); });
  }
  return scores;
}

/** onnxruntime-web as a runtime; `tokenizer` is Hugging Face's. */
export const ortRuntime = (ort, session, tokenizer) => ({
  encode: (text) => tokenizer.encode(text, { add_special_tokens: false }).ids,
  tensors: ({ shape, ...arrays }) => Object.fromEntries(Object.entries(arrays).map(([name, data]) => [name, new ort.Tensor("int64", data, shape)])),
  async forward(inputs) {
    const { logits } = await session.run(inputs);
    return logits.getData();
  },
});

/** A runtime at work: `prepare(work)` once, then `run(work)` -> { scores }. */
export function worker(runtime) {
  let prepared;
  return {
    /** Work that is only the network's is tokenised here, outside the timing. */
    prepare(work) { prepared = work.pretokenised ? prepare(runtime, work) : undefined; },
    async run(work) { return { scores: await score(runtime, prepared ?? prepare(runtime, work), work.documents.length) }; },
  };
}

/** Answers the page's messages with `open(options)` -> { runtime, about }. */
export function serve(open) {
  let working;
  const answers = {
    async open({ options }) {
      const opened = await open(options);
      working = worker(opened.runtime);
      return opened.about;
    },
    prepare: async ({ work }) => working.prepare(work),
    run: ({ work }) => working.run(work),
  };
  self.onmessage = ({ data }) => answers[data.kind](data)
    .then((value) => self.postMessage({ value }), (error) => self.postMessage({ error: String(error?.stack ?? error) }));
}
