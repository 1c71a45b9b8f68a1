// The page's logic workers: one for each place that the WASM may come from, shared by every reranker and index, and kept.
import { connectLogicHere, connectLogicWorker } from "../connect.js";
import type { WasmUrls } from "../place.js";
import { LogicClient } from "./client.js";

const clients = new Map<string, LogicClient>();

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
