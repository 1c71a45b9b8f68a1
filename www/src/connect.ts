// The two ways to reach a service: in a worker of its own, or in this very thread. The client cannot tell them apart.
// There are two services, the engine's (service.ts) and the logic's (logic/service.ts), each with a worker script of its own.
import { RerankError } from "./errors.js";
import type { ConnectLogic } from "./logic/client.js";
import { LogicService, type LoadImages, type LoadLogic } from "./logic/service.js";
import { absolute } from "./place.js";
import type { Order, Reply } from "./protocol.js";
import { Service, type LoadEngine } from "./service.js";

export interface Events<R> {
  reply(reply: R): void;
  /** The other side is gone without a word. */
  failure(error: RerankError): void;
}

export interface Link<O> {
  /** Without `transfer` everything is copied. */
  post(order: O, transfer?: Transferable[]): void;
  close(): void;
}

export type ConnectionEvents = Events<Reply>;
export type Connection = Link<Order>;
export type Connect = (events: ConnectionEvents) => Connection;

/** The scripts have no imports: bundlers copy what `new URL` names as it is, and there is nothing to bundle. */
function startWorker(url: URL, name: string): { worker: Worker; release: () => void } {
  if (typeof location === "undefined" || url.origin === location.origin) return { worker: new Worker(url, { type: "module", name }), release: () => undefined };
  // A worker script must be of the page's origin; a module it imports need not be.
  const start = URL.createObjectURL(new Blob([`import ${JSON.stringify(url.href)};`], { type: "text/javascript" }));
  return { worker: new Worker(start, { type: "module", name }), release: () => URL.revokeObjectURL(start) };
}

function linkWorker<O, R>(
  events: Events<R>, { worker, release }: { worker: Worker; release: () => void }, script: string,
): Link<O> {
  worker.onmessage = (event: MessageEvent<R>) => events.reply(event.data);
  worker.onmessageerror = () => events.failure(new RerankError("internal", "an answer of the worker could not be read"));
  worker.onerror = (event) => {
    event.preventDefault();
    events.failure(new RerankError("internal", event.message || `the worker could not be started (is ${script} beside index.js?)`));
  };
  return {
    post: (order, transfer = []) => worker.postMessage(order, transfer),
    close: () => {
      worker.terminate();
      release();
    },
  };
}

/** Messages to a service in this thread and back, in a later microtask each, as if from far away. */
function linkHere<O, R>(events: Events<R>, make: (post: (reply: R) => void) => { receive(order: O): void; close(): void }): Link<O> {
  let open = true;
  const service = make((reply) => queueMicrotask(() => { if (open) events.reply(reply); }));
  return {
    post: (order) => queueMicrotask(() => { if (open) service.receive(order); }),
    close: () => {
      open = false;
      service.close();
    },
  };
}

export const connectWorker: Connect = (events) =>
  linkWorker(events, startWorker(absolute(new URL("./worker.js", import.meta.url)), "foliorank"), "worker.js");

export const connectLogicWorker: ConnectLogic = (events) =>
  linkWorker(events, startWorker(absolute(new URL("./logic-worker.js", import.meta.url)), "foliorank-logic"), "logic-worker.js");

/** Runs the Service here. */
export const connectHere = (loadEngine?: LoadEngine): Connect => (events) => linkHere(events, (post) => new Service(post, loadEngine));

/** Runs the LogicService here. */
export const connectLogicHere = (load?: LoadLogic, images?: LoadImages): ConnectLogic =>
  (events) => linkHere(events, (post) => new LogicService(post, load, images));
