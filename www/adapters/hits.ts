// Reranks the hits of any search: what comes back are the caller's own objects, in the new order.
// The other adapters are this with a library's names.
import type { RerankOptions, RerankResponse, RerankDocument } from "../src/types.js";

/** A Reranker of any entry. */
export interface Ranks {
  rerank<D extends RerankDocument>(query: string, documents: readonly D[], options?: RerankOptions): Promise<RerankResponse<D>>;
  readonly info: { readonly model: string };
}

export interface HitsOptions<H> extends Omit<RerankOptions, "returnDocuments" | "firstStage"> {
  reranker: Ranks;
  /** The field that holds a hit's text, or what makes it. */
  text: (keyof H & string) | ((hit: H) => string);
  /** A hit's score of the first stage, for `fuse` and for strategies that need it. */
  firstStage?: (hit: H) => number;
}

export interface RankedHit<H> {
  hit: H;
  /** 0..1, higher is better. */
  relevanceScore: number;
  /** Where the hit was before, from 0. */
  index: number;
}

/** Hits, best first. Rejects as `Reranker.rerank` does. */
export async function rerankHits<H>(query: string, hits: readonly H[], options: HitsOptions<H>): Promise<RankedHit<H>[]> {
  const { reranker, text, firstStage, ...rest } = options;
  const own = [...hits];
  const texts = own.map((hit) => (typeof text === "function" ? text(hit) : String(hit[text] ?? "")));
  const { results } = await reranker.rerank(query, texts, { ...rest, ...(firstStage ? { firstStage: own.map(firstStage) } : {}) });
  return results.map(({ index, relevanceScore }) => ({ hit: own[index] as H, relevanceScore, index }));
}
