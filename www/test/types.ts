// Checked by tsc only: what must compile, and what must not (`@ts-expect-error` fails the build when the error is gone).
import { Embedder, Index, Reranker, RerankError, strategies, type ErrorCode, type Judge, type Llm, type LoadProgress, type RerankResponse } from "foliorank";
import { Reranker as Here } from "../src/main-thread.js";

export async function usage(signal: AbortSignal): Promise<void> {
  const reranker = await Reranker.load({ model: new URL("https://a.example/m/"), device: "auto", cache: "only-if-cached", threads: "auto", signal });
  const threads: number = reranker.info.threads;
  const pages = [{ text: "a", page: 1, tags: ["x"] }] as const;
  const response = await reranker.rerank("q", pages, { topN: 3, returnDocuments: true });
  // Metadata keeps its type.
  const page: 1 | undefined = response.results[0]?.document?.page;
  const strings: RerankResponse<string> = await reranker.rerank("q", ["a", "b"]);
  const mixed = await reranker.rerank("q", ["a", { text: "b" }]);
  const kind: "webgpu" | "cpu" = mixed.device;
  void [page, strings, kind, threads];
  reranker.dispose();

  // @ts-expect-error a document needs text
  await reranker.rerank("q", [{ title: "a" }]);
  // @ts-expect-error topN is a number
  await reranker.rerank("q", ["a"], { topN: "3" });
  // @ts-expect-error misspelt options are not swallowed
  await reranker.rerank("q", ["a"], { top_n: 3 });
  // @ts-expect-error the model is needed
  await Reranker.load({});
  // @ts-expect-error no such device
  await Reranker.load({ model: "m", device: "gpu" });
  // @ts-expect-error no such number of workers
  await Reranker.load({ model: "m", threads: "all" });
  // @ts-expect-error only load makes a Reranker
  new Reranker();
  // @ts-expect-error info is read-only
  reranker.info = reranker.info;
  // @ts-expect-error the main-thread entry has no worker to ask for
  await Here.load({ model: "m", worker: true });
  // @ts-expect-error nor workers to share the work
  await Here.load({ model: "m", threads: 2 });
}

export async function finding(reranker: Reranker, llm: Llm, judge: Judge): Promise<void> {
  const embedder = await Embedder.load({ model: "m" });
  const vectors: Float32Array = (await embedder.embed(["a"], { kind: "query" })).vectors;
  const index = await Index.open<{ id: string; text: string; page: number }>({ name: "pages", embedder, stemming: "english" });
  await index.add([{ id: "a", text: "b", page: 1 }]);
  const found = await index.search("q", { top: 3, mode: "hybrid", fusion: "z:0.5" });
  // Metadata keeps its type.
  const page: number | undefined = found[0]?.document.page;
  const { strategy } = await reranker.rerank("q", found.map(({ document }) => document), {
    strategy: "prp-heapsort:k=3", judge, llm, embedder, firstStage: found.map(({ score }) => score), limits: { calls: 9 }, prune: { k: 10, alpha: 0.2 }, fuse: "rrf",
  });
  const calls: number | undefined = strategy?.calls;
  const names: string[] = (await strategies()).map(({ name }) => name);
  void [vectors, page, calls, names];

  // @ts-expect-error a document to be found needs an id
  await index.add([{ text: "b", page: 1 }]);
  // @ts-expect-error an index is opened, not made
  new Index();
  // @ts-expect-error no such mode
  await index.search("q", { mode: "splade" });
  // @ts-expect-error an answer has a text
  await reranker.rerank("q", ["a"], { strategy: "listwise-full", llm: async () => ({ answer: "a" }) });
  // @ts-expect-error a judge of groups says how large
  await reranker.rerank("q", ["a"], { strategy: "prp-all-pair", judge: { judge: async () => [] } });
}

export function label(progress: LoadProgress): string {
  // Every kind of progress can be told apart by its type alone.
  switch (progress.type) {
    case "download": return `${progress.file} ${progress.loaded}/${progress.total}`;
    case "initialise": return progress.variant;
    case "warm_up": return progress.device;
    case "ready": return progress.device;
  }
}

export const codeOf = (error: unknown): ErrorCode | undefined => (error instanceof RerankError ? error.code : undefined);
