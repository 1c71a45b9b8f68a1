// The page's one reranker: loaded at the first use, kept while the device stays the same. Uses only the public package.
import { Reranker, type DeviceRequest, type LoadProgress, type RerankerInfo, type RerankProgress, type RerankResponse, type ThreadRequest } from "foliorank";
import type { Page } from "./pages.js";

const parameters = new URLSearchParams(location.search);
const DEFAULT_MODEL = "../models/ms-marco-minilm-l12-v2/";

const modelUrl = new URL(parameters.get("model") ?? DEFAULT_MODEL, document.baseURI).href;

/** Whether the page uses its own model, about which it can say something beforehand. */
export const isDefaultModel = !parameters.has("model");

/** From ?device=, else auto. */
export function requestedDevice(): DeviceRequest {
  const value = parameters.get("device");
  return value === "webgpu" || value === "cpu" ? value : "auto";
}

/** From ?threads=, else auto. A number that makes no sense is left to the package to refuse. */
function requestedThreads(): ThreadRequest {
  const value = parameters.get("threads") ?? "auto";
  return value === "auto" ? value : Number(value);
}

export interface Ranked {
  response: RerankResponse<Page>;
  info: RerankerInfo;
  /** How long the model took to start; absent when it was running already. */
  loadMs?: number;
}

export class Model {
  #reranker: Reranker | undefined;
  #device: DeviceRequest;

  constructor(device: DeviceRequest) {
    this.#device = device;
  }

  /** Of the running model, if there is one. */
  get info(): RerankerInfo | undefined {
    return this.#reranker?.info;
  }

  setDevice(device: DeviceRequest): void {
    if (device === this.#device) return;
    this.#device = device;
    this.#reranker?.dispose();
    this.#reranker = undefined;
  }

  async rank(
    query: string, pages: readonly Page[], signal: AbortSignal, onProgress: (progress: LoadProgress | RerankProgress) => void,
  ): Promise<Ranked> {
    let loadMs: number | undefined;
    if (!this.#reranker) {
      const begun = performance.now();
      const loaded = await Reranker.load({ model: modelUrl, device: this.#device, threads: requestedThreads(), signal, onProgress });
      if (signal.aborted) {
        // Cancelled in the very last moment, perhaps because another device was chosen.
        loaded.dispose();
        signal.throwIfAborted();
      }
      this.#reranker = loaded;
      loadMs = performance.now() - begun;
    }
    const reranker = this.#reranker;
    const response = await reranker.rerank(query, pages, { returnDocuments: true, signal, onProgress });
    return { response, info: reranker.info, ...(loadMs === undefined ? {} : { loadMs }) };
  }
}
