// The page's logic clients: one for each place that the WASM may come from, shared by every reranker and index, and kept.
import { connectLogicHere, connectLogicWorker } from "../connect.js";
import { RerankError } from "../errors.js";
import type { WasmUrls } from "../place.js";
import { LogicClient } from "./client.js";
import type { SuppliedLogic } from "./glue.js";
import type { LoadLogic } from "./service.js";

const clients = new Map<string, LogicClient>();
const supplied = new WeakMap<WebAssembly.Module, LogicClient>();

export interface LogicPlace {
  wasm: WasmUrls;
  /** False computes on the calling thread. */
  worker: boolean;
}

export function sharedLogic({ wasm, worker }: LogicPlace): LogicClient {
  const key = `${worker} ${wasm.script}`;
  let client = clients.get(key);
  if (!client) {
    client = new LogicClient(worker ? connectLogicWorker : connectLogicHere(), { wasm, exclusive: worker });
    clients.set(key, client);
  }
  return client;
}

/** On the calling thread: a module that is at hand cannot be loaded again by a worker. */
export function suppliedLogic({ glue, module }: SuppliedLogic): LogicClient {
  const load: LoadLogic = async ({ generation }) => {
    // The glue keeps its one instance; there is none to start anew.
    if (generation > 0) throw new RerankError("internal", "the supplied logic module has failed before; start the process or isolate again");
    await glue.default({ module_or_path: module });
    return glue;
  };
  let client = supplied.get(module);
  if (!client) {
    client = new LogicClient(connectLogicHere(load), { wasm: { script: "", module: "" }, exclusive: false });
    supplied.set(module, client);
  }
  return client;
}
