// A document compressor for LangChain.js, as ContextualCompressionRetriever takes it.
import type { DocumentInterface } from "@langchain/core/documents";
import { BaseDocumentCompressor } from "@langchain/core/retrievers/document_compressors";
import { rerankHits, type HitsOptions } from "./hits.js";

export type CompressorOptions = Omit<HitsOptions<DocumentInterface>, "text" | "signal" | "onProgress"> & {
  /** Leave out documents that score less; 0..1. Default: none. */
  minScore?: number;
};

/** Keeps LangChain's documents, best first, each with `metadata.relevanceScore`. */
export class FoliorankRerank extends BaseDocumentCompressor {
  readonly #options: CompressorOptions;

  constructor(options: CompressorOptions) {
    super();
    this.#options = options;
  }

  async compressDocuments(documents: DocumentInterface[], query: string): Promise<DocumentInterface[]> {
    const { minScore = -Infinity, ...options } = this.#options;
    const ranked = await rerankHits(query, documents, { ...options, text: "pageContent" });
    return ranked
      .filter(({ relevanceScore }) => relevanceScore >= minScore)
      .map(({ hit, relevanceScore }) => ({ ...hit, metadata: { ...hit.metadata, relevanceScore } }));
  }
}
