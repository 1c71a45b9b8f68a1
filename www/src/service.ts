// The worker's side: a queue that runs one order at a time, in order, and lets an abort be seen between batches.
// It knows messages, not workers: worker.ts and the main-thread entry both feed it.
import { aborted, toErrorData } from "./errors.js";
import { Engine, EngineFailure, type EngineHooks, type EngineRequest } from "./engine.js";
import { buffers } from "./job.js";
import type { Order, Reply } from "./protocol.js";

/** Lets the event loop deliver what is waiting, above all an abort. Timers are clamped to 4 ms; a message is not. */
export function macrotask(): Promise<void> {
  // A MessageChannel would keep Node alive; Node has its own way.
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => void };
  if (setImmediate) return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

type Task = Exclude<Order, { kind: "abort" }>;
type LoadedEngine = Pick<Engine, "info" | "run" | "free"> & Partial<Pick<Engine, "takeFiles">>;
export type LoadEngine = (request: EngineRequest, hooks: EngineHooks) => Promise<LoadedEngine>;

export class Service {
  readonly #post: (reply: Reply, transfer: Transferable[]) => void;
  readonly #loadEngine: LoadEngine;
  #queue: Task[] = [];
  #running: { id: number; controller: AbortController } | undefined;
  #engine: LoadedEngine | undefined;
  #lost = false;

  constructor(post: (reply: Reply, transfer: Transferable[]) => void, loadEngine: LoadEngine = (request, hooks) => Engine.load(request, hooks)) {
    this.#post = post;
    this.#loadEngine = loadEngine;
  }

  receive(order: Order): void {
    if (order.kind === "abort") {
      if (this.#running?.id === order.id) this.#running.controller.abort();
      const place = this.#queue.findIndex(({ id }) => id === order.id);
      if (place >= 0) {
        this.#queue.splice(place, 1);
        this.#fail(order.id, aborted("the request"));
      }
      return;
    }
    this.#queue.push(order);
    if (!this.#running) void this.#drain();
  }

  /** Ends everything without an answer; the client has already given one. */
  close(): void {
    this.#queue = [];
    this.#running?.controller.abort();
    // A running call still uses the engine: it is freed when that call is over.
    if (!this.#running && !this.#lost) this.#engine?.free();
    this.#lost = true;
  }

  async #drain(): Promise<void> {
    for (let task = this.#queue.shift(); task; task = this.#queue.shift()) {
      this.#running = { id: task.id, controller: new AbortController() };
      try {
        await (task.kind === "load" ? this.#load(task, this.#running.controller.signal) : this.#run(task, this.#running.controller.signal));
      } catch (error) {
        this.#fail(task.id, error);
        if (error instanceof EngineFailure) {
          // The client sends everything unanswered to a new service; nothing may run here any more.
          this.#lost = true;
          this.#queue = [];
        }
      }
      this.#running = undefined;
      if (this.#lost) return;
    }
  }

  async #load({ id, request }: Extract<Task, { kind: "load" }>, signal: AbortSignal): Promise<void> {
    const engine = await this.#loadEngine(request, { signal, onProgress: (progress) => this.#post({ kind: "loading", id, progress }, []) });
    if (this.#lost) {
      engine.free();
      return;
    }
    this.#engine = engine;
    const files = engine.takeFiles?.();
    if (files) this.#post({ kind: "loaded", id, info: engine.info, files }, [files.tokenizer.buffer, files.weights.buffer]);
    else this.#post({ kind: "loaded", id, info: engine.info }, []);
  }

  async #run({ id, job }: Extract<Task, { kind: "run" }>, signal: AbortSignal): Promise<void> {
    const engine = this.#engine;
    // The load before it failed, and the client knows.
    if (!engine) throw aborted("the request");
    this.#post({ kind: "started", id }, []);
    try {
      const result = await engine.run(job, async (progress) => {
        this.#post({ kind: "batch", id, progress }, []);
        await macrotask();
        return !signal.aborted;
      });
      if (signal.aborted) throw aborted("the request");
      this.#post({ kind: "done", id, result }, buffers(result));
    } catch (error) {
      if (this.#lost && !(error instanceof EngineFailure)) engine.free();
      throw error;
    }
  }

  #fail(id: number, error: unknown): void {
    if (error instanceof EngineFailure) this.#post({ kind: "failed", id, error: toErrorData(error.error), lost: error.device }, []);
    else this.#post({ kind: "failed", id, error: toErrorData(error) }, []);
  }
}
