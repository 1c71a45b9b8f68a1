// The page's side of the logic RPC: one worker for all callers, started on the first call and again after it died. It answers what a
// call asks with the functions that came with it, and an abort reaches those too.
import { aborted, fromErrorData, RerankError, toErrorData, toRerankError, type ErrorCode } from "../errors.js";
import type { AskKind } from "./glue.js";
import type { Args, MethodName, Result } from "./methods.js";
import type { LogicOrder, LogicReply, LogicStart } from "./protocol.js";

export interface LogicEvents {
  reply(reply: LogicReply): void;
  /** The other side is gone without a word. */
  failure(error: RerankError): void;
}

export interface LogicConnection {
  post(order: LogicOrder, transfer?: Transferable[]): void;
  close(): void;
}

export type ConnectLogic = (events: LogicEvents) => LogicConnection;

/** Answers one ask. What it throws comes out of the call, with its code. */
export type Answer = (payload: never, signal: AbortSignal) => Promise<unknown>;
export type Answers = { [kind in AskKind]?: Answer };

export interface CallHooks {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: never) => void) | undefined;
  answers?: Answers;
  transfer?: Transferable[];
}

interface Pending {
  hooks: CallHooks;
  /** Ends what is being answered for it. */
  stop: AbortController;
  resolve(value: unknown): void;
  reject(error: RerankError): void;
}

/** What a plain exception of an answer counts as. */
const USUAL: Record<AskKind, ErrorCode> = {
  judge: "internal", llm: "llm", verifier: "llm", embed: "internal", grid: "internal", cached: "storage", keep: "storage",
};

export class LogicClient {
  readonly #connect: ConnectLogic;
  readonly #start: Omit<LogicStart, "generation">;
  readonly #pending = new Map<number, Pending>();
  #connection: LogicConnection | undefined;
  #generation = 0;
  #nextId = 1;

  constructor(connect: ConnectLogic, start: Omit<LogicStart, "generation">) {
    this.#connect = connect;
    this.#start = start;
  }

  /** Rejects with a RerankError. */
  call<N extends MethodName>(method: N, args: Args<N>, hooks: CallHooks = {}): Promise<Result<N>> {
    const { signal, transfer } = hooks;
    if (signal?.aborted) return Promise.reject(aborted("the request", signal));
    return new Promise<Result<N>>((resolve, reject) => {
      const id = this.#nextId++;
      const stop = new AbortController();
      const abort = (): void => {
        this.#connection?.post({ kind: "abort", id });
        pending.reject(aborted("the request", signal));
      };
      const settle = (): void => {
        signal?.removeEventListener("abort", abort);
        this.#pending.delete(id);
        stop.abort(signal?.reason);
      };
      const pending: Pending = {
        hooks, stop,
        resolve: (value) => { settle(); resolve(value as Result<N>); },
        reject: (error) => { settle(); reject(error); },
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#pending.set(id, pending);
      try {
        (this.#connection ??= this.#open()).post({ kind: "call", id, method, args }, transfer);
      } catch (error) {
        // Something that cannot be copied, or too much of it.
        const { name } = error as Error;
        pending.reject(new RerankError(name === "DataCloneError" ? "invalid_argument" : "out_of_memory", `this could not be sent to the worker: ${String(error)}`, { cause: error }));
      }
    });
  }

  /** Ends the worker and everything it was doing. The next call starts another. */
  dispose(): void {
    this.#lose(aborted("the request, with its worker ended,"));
  }

  #open(): LogicConnection {
    const current = (): boolean => this.#connection === connection;
    const connection = this.#connect({
      reply: (reply) => { if (current()) this.#reply(reply); },
      failure: (error) => { if (current()) this.#lose(error); },
    });
    connection.post({ kind: "start", start: { ...this.#start, generation: this.#generation++ } });
    return connection;
  }

  #lose(error: RerankError): void {
    this.#connection?.close();
    this.#connection = undefined;
    for (const { reject } of [...this.#pending.values()]) reject(error);
  }

  #reply(reply: LogicReply): void {
    if (reply.kind === "failed" && reply.lost) {
      // Also a late word for a call that was aborted: everything else that the worker did is lost with it.
      this.#lose(fromErrorData(reply.error));
      return;
    }
    const pending = this.#pending.get(reply.id);
    if (!pending) return;
    switch (reply.kind) {
      case "progress":
        pending.hooks.onProgress?.(reply.progress as never);
        break;
      case "ask":
        void this.#answer(reply, pending);
        break;
      case "result":
        pending.resolve(reply.value);
        break;
      case "failed":
        pending.reject(fromErrorData(reply.error));
        break;
    }
  }

  async #answer({ id, ask, what, payload }: Extract<LogicReply, { kind: "ask" }>, { hooks, stop }: Pending): Promise<void> {
    const post = (order: LogicOrder): void => {
      if (this.#pending.has(id)) this.#connection?.post(order);
    };
    try {
      const answer = hooks.answers?.[what];
      if (!answer) throw new RerankError("internal", `nobody answers "${what}" here`);
      post({ kind: "answer", id, ask, value: await answer(payload as never, stop.signal) });
    } catch (error) {
      const { code, message } = toErrorData(error);
      const known = toRerankError(error) === error || (error as { code?: unknown } | null)?.code === code;
      post({ kind: "refusal", id, ask, error: { code: known ? code : USUAL[what], message } });
    }
  }
}
