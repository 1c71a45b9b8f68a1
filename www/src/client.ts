// The page's side: remembers every request until it is answered, so that a worker can be thrown away and nothing is lost.
// When an engine dies on WebGPU everything unanswered goes to a new one on the CPU; on the CPU the request that killed it is rejected.
import type { Connect, Connection } from "./connect.js";
import type { EngineRequest } from "./engine.js";
import { aborted, fromErrorData, RerankError } from "./errors.js";
import type { Order, Reply } from "./protocol.js";
import type { DeviceKind, LoadProgress, RerankerInfo, RerankProgress } from "./types.js";
import type { NativeOptions, NativeRanking } from "./wasm.js";

export type ClientRequest = Omit<EngineRequest, "generation" | "cpuReason">;
export interface Answer {
  ranking: NativeRanking;
  queuedMs: number;
  device: DeviceKind;
}

interface Pending {
  query: string;
  documents: string[];
  options: NativeOptions;
  onProgress: ((progress: RerankProgress) => void) | undefined;
  asked: number;
  startedAt?: number;
  resolve(answer: Answer): void;
  reject(error: RerankError): void;
}

interface Loading {
  id: number;
  onProgress: ((progress: LoadProgress) => void) | undefined;
  resolve(): void;
  reject(error: RerankError): void;
}

export class Client {
  readonly #connect: Connect;
  readonly #request: ClientRequest;
  readonly #pending = new Map<number, Pending>();
  readonly #warnings: string[] = [];
  #connection: Connection | undefined;
  #loading: Loading | undefined;
  #info: RerankerInfo | undefined;
  #cpuReason: string | undefined;
  #generation = 0;
  #nextId = 1;
  #disposed = false;

  private constructor(connect: Connect, request: ClientRequest) {
    this.#connect = connect;
    this.#request = request;
  }

  static async load(
    connect: Connect, request: ClientRequest, signal?: AbortSignal, onProgress?: (progress: LoadProgress) => void,
  ): Promise<Client> {
    if (signal?.aborted) throw aborted("loading", signal);
    const client = new Client(connect, request);
    const abort = (): void => client.#loading?.reject(aborted("loading", signal));
    signal?.addEventListener("abort", abort, { once: true });
    try {
      await new Promise<void>((resolve, reject) => client.#start(resolve, reject, onProgress));
      return client;
    } catch (error) {
      client.dispose();
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  get info(): RerankerInfo {
    if (!this.#info) throw new RerankError("internal", "not loaded");
    return { ...this.#info, warnings: [...this.#warnings] };
  }

  rerank(
    query: string, documents: string[], options: NativeOptions, signal?: AbortSignal, onProgress?: (progress: RerankProgress) => void,
  ): Promise<Answer> {
    if (this.#disposed) return Promise.reject(new RerankError("invalid_argument", "this reranker was disposed"));
    if (signal?.aborted) return Promise.reject(aborted("the request", signal));
    const id = this.#nextId++;
    return new Promise<Answer>((resolve, reject) => {
      const abort = (): void => {
        if (!this.#pending.delete(id)) return;
        this.#connection?.post({ kind: "abort", id });
        reject(aborted("the request", signal));
      };
      const settled = (): void => signal?.removeEventListener("abort", abort);
      signal?.addEventListener("abort", abort, { once: true });
      const pending: Pending = {
        query, documents, options, onProgress, asked: performance.now(),
        resolve: (answer) => { settled(); resolve(answer); },
        reject: (error) => { settled(); reject(error); },
      };
      if (this.#pending.size > 0) onProgress?.({ type: "queued", ahead: this.#pending.size });
      this.#pending.set(id, pending);
      // The engine died earlier and took no other request with it: the new start was left to the next one.
      if (this.#connection) this.#send(id, pending);
      else this.#restart();
    });
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#close();
    this.#rejectAll(aborted("the request, with the reranker disposed,"));
  }

  #start(resolve: () => void, reject: (error: RerankError) => void, onProgress?: (progress: LoadProgress) => void): void {
    const id = this.#nextId++;
    this.#loading = { id, resolve, reject, onProgress };
    const current = (): boolean => this.#connection === connection;
    const connection: Connection = this.#connect({
      reply: (reply) => { if (current()) this.#reply(reply); },
      failure: (error) => { if (current()) this.#failure(error); },
    });
    this.#connection = connection;
    this.#post({
      kind: "load", id,
      request: { ...this.#request, generation: this.#generation++, ...(this.#cpuReason === undefined ? {} : { cpuReason: this.#cpuReason }) },
    });
  }

  /** A new engine for everything unanswered. The load is first in its queue, the requests follow in their old order. */
  #restart(): void {
    this.#close();
    this.#start(() => undefined, (error) => {
      this.#close();
      this.#rejectAll(error);
    });
    for (const [id, pending] of this.#pending) this.#send(id, pending);
  }

  #post(order: Order): void {
    this.#connection?.post(order);
  }

  #send(id: number, pending: Pending): void {
    const { query, documents, options } = pending;
    try {
      this.#post({ kind: "rerank", id, query, documents, options });
    } catch (error) {
      // The browser could not copy that much text.
      this.#pending.delete(id);
      pending.reject(new RerankError("out_of_memory", `the documents could not be sent to the worker: ${String(error)}`, { cause: error }));
    }
  }

  #close(): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#loading = undefined;
  }

  #rejectAll(error: RerankError): void {
    const all = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of all) pending.reject(error);
  }

  #reply(reply: Reply): void {
    if (reply.id === this.#loading?.id) {
      const loading = this.#loading;
      if (reply.kind === "loading") loading.onProgress?.(reply.progress);
      else if (reply.kind === "loaded") {
        this.#info = reply.info;
        this.#loading = undefined;
        loading.resolve();
      } else if (reply.kind === "failed") {
        const error = fromErrorData(reply.error);
        if (reply.lost === "webgpu") this.#fallBack(error);
        else loading.reject(error);
      }
      return;
    }
    const pending = this.#pending.get(reply.id);
    // A late word for a request that was aborted, or that took the worker with it after being aborted.
    if (!pending && !(reply.kind === "failed" && reply.lost)) return;
    switch (reply.kind) {
      case "started":
        if (pending) pending.startedAt ??= performance.now();
        break;
      case "batch":
        pending?.onProgress?.({ type: "batch", ...reply.progress });
        break;
      case "ranked":
        this.#pending.delete(reply.id);
        pending?.resolve({
          ranking: reply.ranking, device: this.info.device.kind,
          queuedMs: Math.max(0, (pending.startedAt ?? pending.asked) - pending.asked),
        });
        break;
      case "failed":
        if (reply.lost) this.#engineLost(reply.id, fromErrorData(reply.error), reply.lost);
        else {
          this.#pending.delete(reply.id);
          pending?.reject(fromErrorData(reply.error));
        }
        break;
      default:
        break;
    }
  }

  /** The worker is gone without a word: it never started, or the browser ended it. */
  #failure(error: RerankError): void {
    if (this.#loading) {
      this.#loading.reject(error);
      return;
    }
    const running = [...this.#pending].find(([, pending]) => pending.startedAt !== undefined);
    this.#engineLost(running?.[0], error, this.info.device.kind);
  }

  #engineLost(id: number | undefined, error: RerankError, device: DeviceKind): void {
    if (device === "webgpu") {
      this.#fallBack(error);
      return;
    }
    const killer = id === undefined ? undefined : this.#pending.get(id);
    if (id !== undefined) this.#pending.delete(id);
    this.#warnings.push(`the worker was restarted: ${error.message}`);
    if (this.#pending.size > 0) this.#announce(error.message);
    if (this.#pending.size > 0) this.#restart();
    else this.#close();
    killer?.reject(new RerankError("internal", error.message, { cause: error }));
  }

  #fallBack(error: RerankError): void {
    const loading = this.#loading;
    this.#cpuReason = `WebGPU failed and the CPU took over: ${error.message}`;
    this.#warnings.push(this.#cpuReason);
    this.#announce(this.#cpuReason);
    if (!loading) {
      this.#restart();
      return;
    }
    this.#close();
    this.#start(loading.resolve, loading.reject, loading.onProgress);
    for (const [id, pending] of this.#pending) this.#send(id, pending);
  }

  #announce(reason: string): void {
    for (const pending of this.#pending.values()) {
      delete pending.startedAt;
      pending.onProgress?.({ type: "restart", reason });
    }
  }
}
