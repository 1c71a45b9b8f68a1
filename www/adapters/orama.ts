// A plugin for Orama that reranks the hits of every full-text search that has a term.
import type { AnyOrama, OramaPluginSync, Results, SearchParams, TypedDocument } from "@orama/orama";
import { rerankHits, type HitsOptions } from "./hits.js";

type Document = Record<string, unknown>;

export interface PluginOptions extends Omit<HitsOptions<Document>, "topN" | "signal" | "onProgress" | "firstStage"> {
  /** Hits to rerank, from the best of Orama; those after them stay behind. Default: all that the search returns (`limit`). */
  top?: number;
}

/** `create({ schema, plugins: [rerankPlugin({ reranker, text: "body" })] })`. Scores become the reranker's. */
export function rerankPlugin({ top, text, ...options }: PluginOptions): OramaPluginSync {
  return {
    name: "foliorank",
    async afterSearch<T extends AnyOrama>(_db: T, { term }: SearchParams<T>, _language: string | undefined, results: Results<TypedDocument<T>>) {
      if (!term || results.hits.length === 0) return;
      const hits = results.hits.slice(0, top ?? results.hits.length);
      const rest = results.hits.slice(hits.length);
      const words = (document: Document): string => (typeof text === "function" ? text(document) : String(document[text] ?? ""));
      const ranked = await rerankHits(term, hits, { ...options, text: ({ document }) => words(document as Document) });
      results.hits = [...ranked.map(({ hit, relevanceScore }) => ({ ...hit, score: relevanceScore })), ...rest];
    },
  };
}
