// The worker script: nothing but the wire between its global scope and a Service.
import type { Order } from "./protocol.js";
import { Service } from "./service.js";

const scope = globalThis as unknown as {
  postMessage(message: unknown, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent<Order>) => void) | null;
};
const service = new Service((reply, transfer) => scope.postMessage(reply, transfer));
scope.onmessage = (event) => service.receive(event.data);
