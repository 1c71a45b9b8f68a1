// The class callers hold: checks arguments, hands texts to the client, and joins the numbers that come back with the caller's documents.
// Documents stay here; only their text travels.
import { Client, type Answer } from "./client.js";
import type { Connect } from "./connect.js";
import type { SuppliedFiles } from "./engine.js";
import { aborted } from "./errors.js";
import type { LoadOptions, RerankDocument, RerankerInfo, RerankOptions, RerankResponse, RerankResult } from "./types.js";
import { checkLoadOptions, checkRerank } from "./validate.js";
import type { NativeOptions, SuppliedWasm } from "./wasm.js";
import { manifestUrl } from "./weights.js";

/** What the main-thread entry can be given on top of LoadOptions. */
export interface Supplied {
  wasm?: SuppliedWasm;
  files?: SuppliedFiles;
}

const pageUrl = (): string | undefined =>
  typeof document === "undefined" ? (globalThis as { location?: { href: string } }).location?.href : document.baseURI;

const folderUrl = (value: string | URL | undefined): string => {
  const url = new URL(value ?? "./wasm/", value === undefined ? import.meta.url : pageUrl());
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url.href;
};

/** Loads through the given connection; the public entries choose which. */
export async function loadClient(connect: Connect, options: Partial<LoadOptions> & Supplied, exclusive: boolean): Promise<Client> {
  checkLoadOptions(options, !options.files);
  return Client.load(connect, {
    model: options.model === undefined ? "" : manifestUrl(options.model, pageUrl()),
    device: options.device ?? "auto",
    cache: options.cache ?? "default",
    // A supplied module needs no folder, and its host may have no URL to start from.
    wasmUrl: options.wasm ? "" : folderUrl(options.wasmUrl),
    exclusive,
    ...(options.wasm ? { wasm: options.wasm } : {}),
    ...(options.files ? { files: options.files } : {}),
  }, options.signal, options.onProgress);
}

function nativeOptions({ topN, rawScores, maxTokensPerDocument, window, overlap }: RerankOptions): NativeOptions {
  return {
    ...(topN === undefined ? {} : { topN }),
    ...(rawScores === undefined ? {} : { rawScores }),
    ...(maxTokensPerDocument === undefined ? {} : { maxTokensPerDocument }),
    ...(window === undefined ? {} : { window }),
    ...(overlap === undefined ? {} : { overlap }),
  };
}

function toResults<D extends RerankDocument>({ ranking }: Answer, documents: readonly D[], texts: string[], withDocuments: boolean): RerankResult<D>[] {
  const { order, scores, passages } = ranking;
  return Array.from(order, (index, place) => {
    const [start, end] = [passages[2 * place] ?? 0, passages[2 * place + 1] ?? 0];
    const result: RerankResult<D> = { index, relevanceScore: scores[place] as number, rank: place + 1, passage: { start, end } };
    if (withDocuments) {
      result.document = documents[index] as D;
      result.passage = { start, end, text: (texts[index] ?? "").slice(start, end) };
    }
    return result;
  });
}

export class BaseReranker {
  readonly #client: Client;

  protected constructor(client: Client) {
    this.#client = client;
  }

  /** The model, the device and why it was chosen, warnings. A new object each time, true at that moment. */
  get info(): RerankerInfo {
    return this.#client.info;
  }

  /**
   * Scores every document against the query and returns them best first.
   * Rejects with a RerankError: `invalid_argument`, `aborted`, `internal`, ...
   */
  async rerank<D extends RerankDocument>(query: string, documents: readonly D[], options: RerankOptions = {}): Promise<RerankResponse<D>> {
    const begun = performance.now();
    const texts = checkRerank(query, documents, options);
    // The caller may change its array while we wait.
    const own = options.returnDocuments ? [...documents] : documents;
    const answer = await this.#client.rerank(query, texts, nativeOptions(options), options.signal, options.onProgress);
    if (options.signal?.aborted) throw aborted("the request", options.signal);
    const results = toResults(answer, own, texts, options.returnDocuments ?? false);
    const { usage, timing } = answer.ranking;
    return { results, usage, timing: { queuedMs: answer.queuedMs, ...timing, totalMs: performance.now() - begun }, device: answer.device };
  }

  /** Ends the worker. Pending calls reject with `aborted`, later ones with `invalid_argument`. */
  dispose(): void {
    this.#client.dispose();
  }
}
