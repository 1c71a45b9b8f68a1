// The page's side of one worker: remembers the request until it is answered, so that a worker can be thrown away and nothing is lost.
// When an engine dies on WebGPU its request goes to a new one on the CPU; on the CPU the request that killed it is rejected.
import type { Connect, Connection } from "./connect.js";
import type { EngineRequest, SuppliedFiles } from "./engine.js";
import { aborted, EngineLost, fromErrorData, RerankError } from "./errors.js";
import type { Job, JobResult } from "./job.js";
import type { Reply } from "./protocol.js";
import type { DeviceKind, LoadProgress, RerankerInfo } from "./types.js";
import type { NativeProgress } from "./wasm.js";

export type ClientRequest = Omit<EngineRequest, "generation">;
export interface Answer<R extends JobResult = JobResult> {
  result: R;
  queuedMs: number;
  device: DeviceKind;
}

export type ClientProgress = ({ type: "batch" } & NativeProgress) | { type: "restart"; reason: string };

export interface LoadHooks {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: LoadProgress) => void) | undefined;
  /** Hears of the files after every start on the CPU, where the request has `shareFiles`. */
  onFiles?: (files: SuppliedFiles, info: RerankerInfo) => void;
  /** For the first start alone; a later one finds them in the cache or on the network. */
  files?: SuppliedFiles;
  transfer?: Transferable[];
}

interface Running {
  id: number;
  job: Job;
  onProgress: (progress: ClientProgress) => void;
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
  readonly #onFiles: LoadHooks["onFiles"];
  readonly #warnings: string[] = [];
  #running: Running | undefined;
  #connection: Connection | undefined;
  #loading: Loading | undefined;
  #info: RerankerInfo | undefined;
  #cpuReason: string | undefined;
  #generation = 0;
  #nextId = 1;
  #disposed = false;

  private constructor(connect: Connect, request: ClientRequest, onFiles: LoadHooks["onFiles"]) {
    this.#connect = connect;
    this.#request = request;
    this.#onFiles = onFiles;
  }

  static async load(connect: Connect, request: ClientRequest, hooks: LoadHooks = {}): Promise<Client> {
    const { signal, onProgress, onFiles, files, transfer } = hooks;
    if (signal?.aborted) throw aborted("loading", signal);
    const client = new Client(connect, request, onFiles);
    const abort = (): void => client.#loading?.reject(aborted("loading", signal));
    signal?.addEventListener("abort", abort, { once: true });
    try {
      await new Promise<void>((resolve, reject) => client.#start({ resolve, reject, onProgress }, files, transfer));
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

  /** One at a time: the next may come when this one is settled. Rejects with EngineLost when its engine died over it. */
  run(job: Job, signal: AbortSignal, onProgress: (progress: ClientProgress) => void): Promise<Answer> {
    if (signal.aborted || this.#disposed) return Promise.reject(aborted("the request", signal));
    return new Promise<Answer>((resolve, reject) => {
      const id = this.#nextId++;
      const abort = (): void => {
        if (this.#running?.id !== id) return;
        this.#running = undefined;
        this.#connection?.post({ kind: "abort", id });
        reject(aborted("the request", signal));
      };
      const settled = (): void => signal.removeEventListener("abort", abort);
      signal.addEventListener("abort", abort, { once: true });
      this.#running = {
        id, job, onProgress, asked: performance.now(),
        resolve: (answer) => { settled(); resolve(answer); },
        reject: (error) => { settled(); reject(error); },
      };
      // The engine died earlier: the new start was left to the next request.
      if (this.#connection) this.#send();
      else void this.#restart().catch(() => undefined);
    });
  }

  /** Starts a new engine where the last one died. Rejects when that fails. */
  revive(): Promise<void> {
    if (this.#disposed) return Promise.reject(new EngineLost("internal", "the worker was given up"));
    return this.#connection ? Promise.resolve() : this.#restart();
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#close();
    this.#rejectRunning(aborted("the request, with the model disposed,"));
  }

  #start({ resolve, reject, onProgress }: Omit<Loading, "id">, files?: SuppliedFiles, transfer?: Transferable[]): void {
    const id = this.#nextId++;
    this.#loading = { id, resolve, reject, onProgress };
    const current = (): boolean => this.#connection === connection;
    const connection: Connection = this.#connect({
      reply: (reply) => { if (current()) this.#reply(reply); },
      failure: (error) => { if (current()) this.#failure(error); },
    });
    this.#connection = connection;
    connection.post({
      kind: "load", id,
      request: { ...this.#request, ...this.#settled(), ...(files ? { files } : {}), generation: this.#generation++ },
    }, transfer);
  }

  /** Once the CPU computes it goes on computing, with the same code: scores before and after a new start must agree. */
  #settled(): Partial<Pick<EngineRequest, "cpuReason" | "cpuVariant">> {
    if (this.#info?.device.kind === "cpu") return { cpuReason: this.#info.device.reason, cpuVariant: this.#info.variant };
    return this.#cpuReason === undefined ? {} : { cpuReason: this.#cpuReason };
  }

  /** A new engine, also for a request that waits. The load is first in its queue, the request follows. */
  async #restart(): Promise<void> {
    this.#close();
    try {
      await new Promise<void>((resolve, reject) => {
        this.#start({ resolve, reject, onProgress: undefined });
        this.#send();
      });
    } catch (error) {
      const { code, message } = error as RerankError;
      this.#close();
      this.#rejectRunning(new EngineLost(code, message, { cause: error }));
      throw error;
    }
  }

  #send(): void {
    if (!this.#running) return;
    const { id, job, reject } = this.#running;
    try {
      this.#connection?.post({ kind: "run", id, job });
    } catch (error) {
      // The browser could not copy that much text.
      this.#running = undefined;
      reject(new RerankError("out_of_memory", `the texts could not be sent to the worker: ${String(error)}`, { cause: error }));
    }
  }

  #close(): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#loading = undefined;
  }

  #rejectRunning(error: RerankError): void {
    const running = this.#running;
    this.#running = undefined;
    running?.reject(error);
  }

  #reply(reply: Reply): void {
    if (reply.id === this.#loading?.id) {
      const loading = this.#loading;
      if (reply.kind === "loading") loading.onProgress?.(reply.progress);
      else if (reply.kind === "loaded") {
        this.#info = reply.info;
        this.#loading = undefined;
        loading.resolve();
        if (reply.files) this.#onFiles?.(reply.files, this.info);
      } else if (reply.kind === "failed") {
        const error = fromErrorData(reply.error);
        if (reply.lost === "webgpu") this.#fallBack(error);
        else loading.reject(error);
      }
      return;
    }
    const running = this.#running?.id === reply.id ? this.#running : undefined;
    if (reply.kind === "failed" && reply.lost) {
      // Also a late word for a request that was aborted and took the worker with it.
      this.#engineLost(running, fromErrorData(reply.error), reply.lost);
      return;
    }
    if (!running) return;
    switch (reply.kind) {
      case "started":
        running.startedAt ??= performance.now();
        break;
      case "batch":
        running.onProgress({ type: "batch", ...reply.progress });
        break;
      case "done":
        this.#running = undefined;
        running.resolve({
          result: reply.result, device: this.info.device.kind, queuedMs: Math.max(0, (running.startedAt ?? running.asked) - running.asked),
        });
        break;
      case "failed":
        this.#rejectRunning(fromErrorData(reply.error));
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
    this.#engineLost(this.#running?.startedAt === undefined ? undefined : this.#running, error, this.info.device.kind);
  }

  #engineLost(killer: Running | undefined, error: RerankError, device: DeviceKind): void {
    if (device === "webgpu") {
      this.#fallBack(error);
      return;
    }
    this.#warnings.push(`the worker was restarted: ${error.message}`);
    if (killer) {
      this.#close();
      this.#rejectRunning(new EngineLost("internal", error.message, { cause: error }));
    } else if (this.#running) {
      this.#announce(error.message);
      void this.#restart().catch(() => undefined);
    } else this.#close();
  }

  #fallBack(error: RerankError): void {
    const loading = this.#loading;
    this.#cpuReason = `WebGPU failed and the CPU took over: ${error.message}`;
    this.#warnings.push(this.#cpuReason);
    this.#announce(this.#cpuReason);
    if (!loading) {
      void this.#restart().catch(() => undefined);
      return;
    }
    this.#close();
    this.#start(loading);
    this.#send();
  }

  #announce(reason: string): void {
    if (!this.#running) return;
    delete this.#running.startedAt;
    this.#running.onProgress({ type: "restart", reason });
  }
}
