// Checked by tsc only: what must compile, and what must not (`@ts-expect-error` fails the build when the error is gone).
import { Reranker, RerankError, type ErrorCode, type LoadProgress, type RerankResponse } from "foliorank";
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
