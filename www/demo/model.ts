// The page's one reranker: loaded at the first use, kept while model, device and threads stay the same. Uses only the public package.
import { Reranker, type LoadProgress, type RerankerInfo, type RerankProgress, type RerankResponse } from "foliorank";
import { chosen, modelAddress, onChoice } from "./choices.js";
import { keep } from "./offline.js";
import type { Page } from "./pages.js";

export interface Ranked {
  response: RerankResponse<Page>;
  info: RerankerInfo;
  /** How long the model took to start; absent when it was running already. */
  loadMs?: number;
}

export interface Doing {
  signal: AbortSignal;
  onProgress: (progress: LoadProgress | RerankProgress) => void;
}

export class Model {
  #reranker: Reranker | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #enders = new Set<() => void>();

  constructor() {
    onChoice((now, before) => {
      if (now.model !== before.model || now.device !== before.device || now.threads !== before.threads) this.drop();
    });
  }

  /** Of the running model, if there is one. */
  get info(): RerankerInfo | undefined {
    return this.#reranker?.info;
  }

  /** Called when the model was started or ended, and after every ranking. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Called before the model is ended because another is wanted. */
  onDrop(listener: () => void): void {
    this.#enders.add(listener);
  }

  drop(): void {
    for (const listener of this.#enders) listener();
    this.#reranker?.dispose();
    this.#reranker = undefined;
    this.#changed();
  }

  /** Starts the model unless it runs. */
  async start({ signal, onProgress }: Doing): Promise<Reranker> {
    if (this.#reranker) return this.#reranker;
    const { model, device, threads } = chosen();
    const loaded = await Reranker.load({ model: modelAddress(model), device, threads, signal, onProgress });
    if (signal.aborted) {
      // Cancelled in the very last moment, perhaps because another device was chosen.
      loaded.dispose();
      signal.throwIfAborted();
    }
    this.#reranker = loaded;
    void keep(loaded.info.variant);
    this.#changed();
    return loaded;
  }

  async rank(query: string, pages: readonly Page[], doing: Doing): Promise<Ranked> {
    const begun = performance.now();
    const running = this.#reranker !== undefined;
    const reranker = await this.start(doing);
    const loadMs = performance.now() - begun;
    const { window, overlap } = chosen();
    const response = await reranker.rerank(query, pages, {
      ...doing, returnDocuments: true, ...(window === undefined ? {} : { window }), ...(overlap === undefined ? {} : { overlap }),
    });
    this.#changed();
    return { response, info: reranker.info, ...(running ? {} : { loadMs }) };
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
