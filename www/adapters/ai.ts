// A reranking model for `rerank()` of the AI SDK (`ai` 7: RerankingModelV4; `ai` 6: V3).
import type { RerankOptions } from "../src/types.js";
import type { Ranks } from "./hits.js";

interface CallOptions {
  documents: { type: "text"; values: string[] } | { type: "object"; values: object[] };
  query: string;
  topN?: number | undefined;
  abortSignal?: AbortSignal | undefined;
}

export interface RerankingModelOptions<V extends "v3" | "v4"> {
  /** Default `v4`. */
  specificationVersion?: V;
  /** What the SDK cannot say: windows, tokens of a document, a strategy. */
  rerank?: Omit<RerankOptions, "topN" | "signal" | "returnDocuments">;
  /** The text of a document that is an object; default its `text` field, else its JSON. */
  text?: (document: object) => string;
}

export interface RerankingModel<V extends "v3" | "v4"> {
  readonly specificationVersion: V;
  readonly provider: "foliorank";
  readonly modelId: string;
  doRerank(options: CallOptions): Promise<{ ranking: { index: number; relevanceScore: number }[] }>;
}

const usualText = (document: object): string => {
  const { text } = document as { text?: unknown };
  return typeof text === "string" ? text : JSON.stringify(document);
};

/** The reranker as a model of the AI SDK: `rerank({ model: rerankingModel(reranker), query, documents, topN })`. */
export function rerankingModel<V extends "v3" | "v4" = "v4">(reranker: Ranks, options: RerankingModelOptions<V> = {}): RerankingModel<V> {
  const { specificationVersion = "v4" as V, rerank, text = usualText } = options;
  return {
    specificationVersion, provider: "foliorank", modelId: reranker.info.model,
    async doRerank({ documents, query, topN, abortSignal }) {
      const texts = documents.type === "text" ? documents.values : documents.values.map(text);
      const { results } = await reranker.rerank(query, texts, {
        ...rerank, ...(topN === undefined ? {} : { topN }), ...(abortSignal ? { signal: abortSignal } : {}),
      });
      return { ranking: results.map(({ index, relevanceScore }) => ({ index, relevanceScore })) };
    },
  };
}
