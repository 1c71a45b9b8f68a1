// The page's models: each is loaded at its first use and kept while device and threads stay the same. The chosen reranker is what the
// badge tells about. Uses only the public package.
import { Embedder, Reranker, type LoadProgress, type RerankerInfo, type RerankOptions, type RerankProgress, type RerankResponse } from "foliorank";
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

/** The bi-encoder of the catalogue: what gives passages vectors. */
export const EMBEDDER = "all-minilm-l6-v2";

/** The windows that the user wants, for every call. */
export function windows(): Pick<RerankOptions, "window" | "overlap"> {
  const { window, overlap } = chosen();
  return { ...(window === undefined ? {} : { window }), ...(overlap === undefined ? {} : { overlap }) };
}

export class Model {
  readonly #rerankers = new Map<string, Reranker>();
  readonly #vectors = new Map<string, Embedder>();
  readonly #listeners = new Set<() => void>();
  readonly #enders = new Set<() => void>();

  constructor() {
    onChoice((now, before) => {
      if (now.device !== before.device || now.threads !== before.threads) this.#dropAll();
      else if (now.model !== before.model) this.#drop(before.model);
    });
  }

  /** Of the chosen model, if it runs. */
  get info(): RerankerInfo | undefined {
    return this.#rerankers.get(chosen().model)?.info;
  }

  /** Called when a model was started or ended, and after every ranking. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Called before a model is ended because another is wanted. */
  onDrop(listener: () => void): void {
    this.#enders.add(listener);
  }

  /** Starts the model unless it runs. */
  async start({ signal, onProgress }: Doing, model = chosen().model): Promise<Reranker> {
    const running = this.#rerankers.get(model);
    if (running) return running;
    const { device, threads } = chosen();
    const loaded = await Reranker.load({ model: modelAddress(model), device, threads, signal, onProgress });
    const kept = this.#keep(this.#rerankers, model, loaded, signal);
    if (kept === loaded) this.changed();
    return kept;
  }

  async startEmbedder({ signal, onProgress }: Doing): Promise<Embedder> {
    const running = this.#vectors.get(EMBEDDER);
    if (running) return running;
    const { device, threads } = chosen();
    const loaded = await Embedder.load({ model: modelAddress(EMBEDDER), device, threads, signal, onProgress });
    return this.#keep(this.#vectors, EMBEDDER, loaded, signal);
  }

  /** All pages by the chosen model, in one pass. */
  async rank(query: string, pages: readonly Page[], doing: Doing): Promise<Ranked> {
    const begun = performance.now();
    const running = this.info !== undefined;
    const reranker = await this.start(doing);
    const loadMs = performance.now() - begun;
    const response = await reranker.rerank(query, pages, { ...doing, ...windows(), returnDocuments: true });
    this.changed();
    return { response, info: reranker.info, ...(running ? {} : { loadMs }) };
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Keeps what was loaded, unless it is no longer wanted or another view was faster; gives what is kept. */
  #keep<T extends Reranker | Embedder>(all: Map<string, T>, model: string, loaded: T, signal: AbortSignal): T {
    const other = all.get(model);
    if (signal.aborted || other) loaded.dispose();
    signal.throwIfAborted();
    if (other) return other;
    all.set(model, loaded);
    void keep(loaded.info.variant);
    return loaded;
  }

  #drop(model: string): void {
    for (const listener of this.#enders) listener();
    this.#rerankers.get(model)?.dispose();
    this.#rerankers.delete(model);
    this.changed();
  }

  #dropAll(): void {
    for (const model of [...this.#rerankers.keys()]) this.#drop(model);
    for (const embedder of this.#vectors.values()) embedder.dispose();
    this.#vectors.clear();
    this.changed();
  }
}
