// The logic worker's script: nothing but the wire between its global scope and a LogicService.
import type { LogicOrder } from "./logic/protocol.js";
import { LogicService } from "./logic/service.js";

const scope = globalThis as unknown as {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent<LogicOrder>) => void) | null;
};
const service = new LogicService((reply) => scope.postMessage(reply));
scope.onmessage = (event) => service.receive(event.data);
