// The two ways to reach a Service: in a worker of its own, or in this very thread. The client cannot tell them apart.
import { RerankError } from "./errors.js";
import type { Order, Reply } from "./protocol.js";
import { Service, type LoadEngine } from "./service.js";

export interface ConnectionEvents {
  reply(reply: Reply): void;
  /** The other side is gone without a word. */
  failure(error: RerankError): void;
}

export interface Connection {
  /** Without `transfer` everything is copied. */
  post(order: Order, transfer?: Transferable[]): void;
  close(): void;
}

export type Connect = (events: ConnectionEvents) => Connection;

function startWorker(): { worker: Worker; release: () => void } {
  const url = new URL("./worker.js", import.meta.url);
  if (typeof location === "undefined" || url.origin === location.origin) {
    // Written out in full: bundlers look for exactly this.
    return { worker: new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "foliorank" }), release: () => undefined };
  }
  // A worker script must be of the page's origin; a module it imports need not be.
  const start = URL.createObjectURL(new Blob([`import ${JSON.stringify(url.href)};`], { type: "text/javascript" }));
  return { worker: new Worker(start, { type: "module", name: "foliorank" }), release: () => URL.revokeObjectURL(start) };
}

export const connectWorker: Connect = (events) => {
  const { worker, release } = startWorker();
  worker.onmessage = (event: MessageEvent<Reply>) => events.reply(event.data);
  worker.onmessageerror = () => events.failure(new RerankError("internal", "an answer of the worker could not be read"));
  worker.onerror = (event) => {
    event.preventDefault();
    events.failure(new RerankError("internal", event.message || "the worker could not be started (is worker.js beside index.js?)"));
  };
  return {
    post: (order, transfer = []) => worker.postMessage(order, transfer),
    close: () => {
      worker.terminate();
      release();
    },
  };
};

/** Runs the Service here. Replies come in a later microtask, as if from far away. */
export const connectHere = (loadEngine?: LoadEngine): Connect => (events) => {
  let open = true;
  const service = new Service((reply) => queueMicrotask(() => { if (open) events.reply(reply); }), loadEngine);
  return {
    post: (order) => queueMicrotask(() => { if (open) service.receive(order); }),
    close: () => {
      open = false;
      service.close();
    },
  };
};
