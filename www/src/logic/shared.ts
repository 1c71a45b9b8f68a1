// The page's logic workers: one for each place that the WASM may come from, shared by every reranker and index, and kept.
import { connectLogicHere, connectLogicWorker } from "../connect.js";
import { LogicClient } from "./client.js";

const clients = new Map<string, LogicClient>();

export interface LogicPlace {
  /** Absolute URL of the folder of the variants, ending in a slash. */
  wasmUrl: string;
  /** False computes on the calling thread. */
  worker: boolean;
}

export function sharedLogic({ wasmUrl, worker }: LogicPlace): LogicClient {
  const key = `${worker} ${wasmUrl}`;
  let client = clients.get(key);
  if (!client) {
    client = new LogicClient(worker ? connectLogicWorker : connectLogicHere(), { wasmUrl, exclusive: worker });
    clients.set(key, client);
  }
  return client;
}
