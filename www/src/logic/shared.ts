// The page's logic clients: one for each place that the WASM may come from, shared by every reranker and index, and kept.
import { connectLogicHere, connectLogicWorker } from "../connect.js";
import { RerankError } from "../errors.js";
import { LogicClient } from "./client.js";
import type { ImagesGlue, LogicGlue, SuppliedImages, SuppliedLogic } from "./glue.js";
import type { LogicPlaces, LogicStart } from "./protocol.js";

/** A client of a module that was supplied, and the images' module once one has come with it. */
interface SuppliedClient {
  client: LogicClient;
  images?: SuppliedImages;
}

const clients = new Map<string, LogicClient>();
const supplied = new WeakMap<WebAssembly.Module, SuppliedClient>();

export interface LogicPlace {
  wasm: LogicPlaces;
  /** False computes on the calling thread. */
  worker: boolean;
}

export function sharedLogic({ wasm, worker }: LogicPlace): LogicClient {
  const key = `${worker} ${wasm.logic.script}`;
  let client = clients.get(key);
  if (!client) {
    client = new LogicClient(worker ? connectLogicWorker : connectLogicHere(), { wasm, exclusive: worker });
    clients.set(key, client);
  }
  return client;
}

/** On the calling thread: a module that is at hand cannot be loaded again by a worker. */
export function suppliedLogic(logic: SuppliedLogic): LogicClient {
  let found = supplied.get(logic.module);
  if (!found) supplied.set(logic.module, found = startSupplied(logic));
  if (logic.images) found.images ??= logic.images;
  return found.client;
}

function startSupplied({ glue, module }: SuppliedLogic): SuppliedClient {
  const logic = async ({ generation }: LogicStart): Promise<LogicGlue> => {
    // The glue keeps its one instance; there is none to start anew.
    if (generation > 0) throw new RerankError("internal", "the supplied logic module has failed before; start the process or isolate again");
    await glue.default({ module_or_path: module });
    return glue;
  };
  const images = async (): Promise<ImagesGlue> => {
    if (!started.images) throw new RerankError("invalid_argument", "logic.images: expected the variant `images` beside `logic`, for pages with an image");
    await started.images.glue.default({ module_or_path: started.images.module });
    return started.images.glue;
  };
  const started: SuppliedClient = { client: new LogicClient(connectLogicHere(logic, images), { exclusive: false }) };
  return started;
}
