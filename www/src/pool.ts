// All workers of one model. The first decides the device and answers from the moment it is ready; on the CPU further ones start
// then, with the files it has fetched and checked. Calls run one at a time, in order, each over all workers it can use.
import { Call, type CallRequest } from "./call.js";
import { Client, type Answer, type ClientRequest } from "./client.js";
import type { Connect } from "./connect.js";
import type { SuppliedFiles } from "./engine.js";
import { aborted, RerankError } from "./errors.js";
import type { JobResult, Work } from "./job.js";
import { threadCount } from "./threads.js";
import type { LoadProgress, RerankerInfo, RerankProgress, ThreadRequest } from "./types.js";

export interface PoolOptions {
  threads: ThreadRequest;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: LoadProgress) => void) | undefined;
}

interface Waiting {
  request: CallRequest;
  start(call: Call): void;
  reject(error: RerankError): void;
}

export class Pool {
  readonly #connect: Connect;
  readonly #request: ClientRequest;
  readonly #threads: ThreadRequest;
  readonly #warnings: string[] = [];
  /** Made where there are further workers to end: in an edge worker it would belong to the request that made it, and fail the others. */
  #end: AbortController | undefined;
  #disposed = false;
  readonly #waiting: Waiting[] = [];
  readonly #helpers: Client[] = [];
  #first!: Client;
  #starting = 0;
  #hasGrown = false;
  #running: Call | undefined;

  private constructor(connect: Connect, request: ClientRequest, threads: ThreadRequest) {
    this.#connect = connect;
    this.#request = { ...request, shareFiles: threads !== 1 };
    this.#threads = threads;
  }

  /** Resolves when the first worker is ready. Rejects with a RerankError. */
  static async load(connect: Connect, request: ClientRequest, { threads, signal, onProgress }: PoolOptions): Promise<Pool> {
    const pool = new Pool(connect, request, threads);
    pool.#first = await Client.load(connect, pool.#request, { signal, onProgress, onFiles: (files, info) => pool.#grow(files, info) });
    // A supplied instance is not started a second time, so nobody asks for these again; an edge worker's memory is small.
    if (pool.#request.wasm) delete pool.#request.files;
    return pool;
  }

  /** A new object each time. */
  get info(): RerankerInfo {
    const info = this.#first.info;
    const warnings = [...info.warnings, ...this.#helpers.flatMap((helper) => helper.info.warnings), ...this.#warnings];
    return { ...info, warnings, threads: 1 + this.#helpers.length };
  }

  async run<R extends JobResult>(work: Work<R>, signal?: AbortSignal, onProgress?: (progress: RerankProgress) => void): Promise<Answer<R>> {
    if (this.#disposed) throw new RerankError("invalid_argument", "this model was disposed");
    if (signal?.aborted) throw aborted("the request", signal);
    const request: CallRequest<R> = { work, onProgress, asked: performance.now() };
    const ahead = this.#waiting.length + (this.#running ? 1 : 0);
    if (ahead > 0) onProgress?.({ type: "queued", ahead });
    let abort: (() => void) | undefined;
    try {
      return await new Promise<Answer<R>>((resolve, reject) => {
        let call: Call | undefined;
        const waiting: Waiting = {
          request: request as unknown as CallRequest, reject,
          start: (started) => {
            call = started;
            // The call of this very request.
            resolve(call.answer as Promise<Answer<R>>);
          },
        };
        abort = () => {
          const error = aborted("the request", signal);
          const place = this.#waiting.indexOf(waiting);
          if (place >= 0) this.#waiting.splice(place, 1);
          call?.stop(error);
          reject(error);
        };
        signal?.addEventListener("abort", abort, { once: true });
        this.#waiting.push(waiting);
        this.#next();
      });
    } finally {
      if (abort) signal?.removeEventListener("abort", abort);
    }
  }

  dispose(): void {
    if (this.#disposed) return;
    const error = aborted("the request, with the model disposed,");
    this.#disposed = true;
    this.#end?.abort();
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    this.#running?.stop(error);
    for (const client of [this.#first, ...this.#helpers]) client.dispose();
  }

  #next(): void {
    if (this.#running) return;
    const next = this.#waiting.shift();
    if (!next) return;
    const call = new Call(next.request, 1 + this.#helpers.length + this.#starting, { gone: (client, error) => this.#gone(client, error) });
    this.#running = call;
    next.start(call);
    // A call that is not cut has its one piece taken by the first.
    for (const client of [this.#first, ...this.#helpers]) call.join(client);
    const over = (): void => {
      this.#running = undefined;
      this.#next();
    };
    call.answer.then(over, over);
  }

  /** Starts the workers beyond the first, after what the caller does first. `files` are copied to all of them but the last, which gets them. */
  #grow(files: SuppliedFiles, info: RerankerInfo): void {
    if (this.#hasGrown || this.#disposed) return;
    this.#hasGrown = true;
    const wanted = threadCount(this.#threads, { device: info.device.kind, parameters: info.parameters });
    const request: ClientRequest = { ...this.#request, shareFiles: false, cpuReason: info.device.reason, cpuVariant: info.variant };
    // A call that comes now is cut for all of them already.
    this.#starting = wanted - 1;
    if (wanted > 1) this.#end = new AbortController();
    setTimeout(() => {
      for (let nth = 2; nth <= wanted; nth += 1) void this.#addHelper(request, files, nth === wanted ? [files.tokenizer.buffer, files.weights.buffer] : []);
    });
  }

  async #addHelper(request: ClientRequest, files: SuppliedFiles, transfer: Transferable[]): Promise<void> {
    try {
      const helper = await Client.load(this.#connect, request, { signal: this.#end?.signal, files, transfer });
      if (this.#disposed) {
        helper.dispose();
        return;
      }
      this.#helpers.push(helper);
      this.#running?.join(helper);
    } catch (error) {
      if (!this.#disposed) this.#warnings.push(`a further worker could not be started: ${(error as RerankError).message}`);
    } finally {
      this.#starting -= 1;
    }
  }

  /** The first stays whatever happens: the next call tries to start it again. */
  #gone(client: Client, error: RerankError): void {
    const place = this.#helpers.indexOf(client);
    if (place < 0) return;
    this.#helpers.splice(place, 1);
    client.dispose();
    this.#warnings.push(...client.info.warnings, `a worker died and could not be started again: ${error.message}`);
  }
}
