// Compiled, never run: what the adapters give is what the libraries ask for.
import type { RerankingModelV3 } from "@ai-sdk/provider";
import type { BaseDocumentCompressor } from "@langchain/core/retrievers/document_compressors";
import type { BaseNodePostprocessor } from "@llamaindex/core/postprocessor";
import { create } from "@orama/orama";
import { rerank } from "ai";
import { rerank as rerank7 } from "ai-7";
import { rerankingModel } from "../adapters/ai.js";
import { rerankHits } from "../adapters/hits.js";
import { FoliorankRerank } from "../adapters/langchain.js";
import { FoliorankPostprocessor } from "../adapters/llamaindex.js";
import { rerankPlugin } from "../adapters/orama.js";
import { useReranker } from "../adapters/react.js";
import type { Reranker } from "../src/index.js";

export async function compiled(reranker: Reranker): Promise<void> {
  const six: RerankingModelV3 = rerankingModel(reranker, { specificationVersion: "v3" });
  await rerank({ model: six, documents: ["a"], query: "q" });
  await rerank7({ model: rerankingModel(reranker), documents: [{ text: "a" }], query: "q" });
  const compressor: BaseDocumentCompressor = new FoliorankRerank({ reranker, topN: 3, minScore: 0.1 });
  const postprocessor: BaseNodePostprocessor = new FoliorankPostprocessor({ reranker });
  create({ schema: { body: "string" } as const, plugins: [rerankPlugin({ reranker, text: "body" })] });
  const [first] = await rerankHits("q", [{ id: 1, body: "a" }], { reranker, text: "body" });
  // @ts-expect-error There is no such field.
  await rerankHits("q", [{ id: 1, body: "a" }], { reranker, text: "text" });
  void [compressor, postprocessor, first?.hit.id];
}

export async function Component(): Promise<void> {
  const { status, reranker, rerank } = useReranker({ model: "/models/m/", device: "cpu" });
  const [best] = (await rerank("q", [{ text: "a", page: 1 }], { returnDocuments: true })).results;
  const page: number | undefined = best?.document?.page;
  // @ts-expect-error The hook ends the load itself.
  useReranker({ model: "/models/m/", signal: AbortSignal.abort() });
  void [status === "ready", reranker?.info, page];
}
