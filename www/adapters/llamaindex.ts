// A node postprocessor for LlamaIndex.TS: `nodePostprocessors: [new FoliorankPostprocessor({ reranker, topN: 5 })]`.
import type { MessageContent } from "@llamaindex/core/llms";
import type { BaseNodePostprocessor } from "@llamaindex/core/postprocessor";
import { MetadataMode, type NodeWithScore } from "@llamaindex/core/schema";
import { rerankHits, type HitsOptions } from "./hits.js";

/** The words of a message; its images are left out. */
function textOf(message: MessageContent | undefined): string {
  if (message === undefined || typeof message === "string") return message ?? "";
  return message.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
}

/** Keeps the nodes, best first, with the reranker's scores. Nodes are read without their metadata. */
export class FoliorankPostprocessor implements BaseNodePostprocessor {
  readonly #options: Omit<HitsOptions<NodeWithScore>, "text" | "signal" | "onProgress">;

  constructor(options: Omit<HitsOptions<NodeWithScore>, "text" | "signal" | "onProgress">) {
    this.#options = options;
  }

  async postprocessNodes(nodes: NodeWithScore[], query?: MessageContent): Promise<NodeWithScore[]> {
    const question = textOf(query);
    // Without a question there is nothing to rank for.
    if (!question.trim()) return nodes;
    const ranked = await rerankHits(question, nodes, { ...this.#options, text: ({ node }) => node.getContent(MetadataMode.NONE) });
    return ranked.map(({ hit, relevanceScore }) => ({ ...hit, score: relevanceScore }));
  }
}
