// The worker's side of the logic RPC: starts the WASM variant `logic` on the first call, runs calls side by side (most of them wait
// for the page), turns what they ask into messages, and ends them on an abort. It knows messages, not workers.
import { aborted, fromErrorData, isTrap, RerankError, toErrorData, toRerankError } from "../errors.js";
import { FailureWatch } from "../failure-watch.js";
import { macrotask } from "../service.js";
import { loadWasm, type AnyGlue } from "../wasm.js";
import type { ImagesGlue, LogicGlue } from "./glue.js";
import { methods, type Context } from "./methods.js";
import type { LogicOrder, LogicPlaces, LogicReply, LogicStart } from "./protocol.js";

interface Ask {
  resolve(value: unknown): void;
  reject(error: RerankError): void;
}

interface Call {
  controller: AbortController;
  asks: Map<number, Ask>;
}

export type LoadLogic = (start: LogicStart) => Promise<LogicGlue>;
export type LoadImages = (start: LogicStart) => Promise<ImagesGlue>;

/** Unless a loader of the caller's own came with the connection. */
function fetched<G extends AnyGlue>(variant: keyof LogicPlaces, { wasm, generation }: LogicStart): Promise<G> {
  if (!wasm) throw new RerankError("internal", `the ${variant} module was neither supplied nor placed`);
  return loadWasm<G>(variant, wasm[variant], generation);
}
const loadLogic: LoadLogic = (start) => fetched("logic", start);
const loadImages: LoadImages = (start) => fetched("images", start);

/** One instance for all calls. A failed download is tried again by the next call. */
function once<G>(load: () => Promise<G>): () => Promise<G> {
  let instance: Promise<G> | undefined;
  return async () => {
    try {
      return await (instance ??= load());
    } catch (error) {
      instance = undefined;
      throw error;
    }
  };
}

export class LogicService {
  readonly #post: (reply: LogicReply) => void;
  readonly #glue: () => Promise<LogicGlue>;
  readonly #images: () => Promise<ImagesGlue>;
  readonly #calls = new Map<number, Call>();
  #start: LogicStart | undefined;
  #watch: FailureWatch | undefined;
  #nextAsk = 1;
  #closed = false;

  constructor(post: (reply: LogicReply) => void, load: LoadLogic = loadLogic, images: LoadImages = loadImages) {
    this.#post = post;
    this.#glue = once(() => load(this.#start as LogicStart));
    this.#images = once(() => images(this.#start as LogicStart));
  }

  receive(order: LogicOrder): void {
    if (this.#closed) return;
    if (order.kind === "start") {
      this.#start = order.start;
      this.#watch = new FailureWatch(order.start.exclusive);
      // No GPU is used here, and one that is lost elsewhere in this realm is no business of ours.
      this.#watch.reset("cpu");
      return;
    }
    if (order.kind === "call") {
      void this.#call(order.id, order.method, order.args);
      return;
    }
    const call = this.#calls.get(order.id);
    if (!call) return;
    if (order.kind === "abort") {
      call.controller.abort();
      for (const { reject } of call.asks.values()) reject(aborted("the request"));
      call.asks.clear();
      return;
    }
    const ask = call.asks.get(order.ask);
    call.asks.delete(order.ask);
    if (order.kind === "answer") ask?.resolve(order.value);
    else ask?.reject(fromErrorData(order.error));
  }

  /** Ends everything without an answer; the client has already given one. */
  close(): void {
    this.#closed = true;
    this.#watch?.stop();
    for (const { controller, asks } of this.#calls.values()) {
      controller.abort();
      for (const { reject } of asks.values()) reject(aborted("the request"));
    }
  }

  async #call(id: number, method: string, args: unknown): Promise<void> {
    const call: Call = { controller: new AbortController(), asks: new Map() };
    this.#calls.set(id, call);
    try {
      const glue = await this.#glue();
      if (call.controller.signal.aborted) throw aborted("the request");
      const run = methods[method as keyof typeof methods] as (args: unknown, context: Context) => Promise<unknown>;
      const value = await (this.#watch as FailureWatch).race(run(args, this.#context(id, call, glue)));
      if (!this.#closed) this.#post({ kind: "result", id, value });
    } catch (error) {
      this.#fail(id, error);
    } finally {
      this.#calls.delete(id);
    }
  }

  #context(id: number, call: Call, glue: LogicGlue): Context {
    const { signal } = call.controller;
    return {
      glue, signal, images: this.#images,
      ask: (what, payload) => new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(aborted("the request"));
          return;
        }
        const ask = this.#nextAsk++;
        call.asks.set(ask, { resolve, reject });
        this.#post({ kind: "ask", id, ask, what, payload });
      }),
      progress: async (progress) => {
        this.#post({ kind: "progress", id, progress });
        await macrotask();
        return !signal.aborted;
      },
    };
  }

  #fail(id: number, thrown: unknown): void {
    if (this.#closed) return;
    const lost = isTrap(thrown) || isTrap(toRerankError(thrown).cause) || thrown === this.#watch?.failure;
    this.#post({ kind: "failed", id, error: toErrorData(thrown), ...(lost ? { lost } : {}) });
    // The client starts a new service; nothing may run here any more.
    if (lost) this.close();
  }
}
