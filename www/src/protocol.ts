// What travels between the page and the worker. Every message carries the id of the request it belongs to.
// Text goes one way only; what comes back are numbers.
import type { ErrorData } from "./errors.js";
import type { EngineRequest, SuppliedFiles } from "./engine.js";
import type { Job, JobResult } from "./job.js";
import type { DeviceKind, LoadProgress, RerankerInfo } from "./types.js";
import type { NativeProgress } from "./wasm.js";

/** Page to worker. */
export type Order =
  | { kind: "load"; id: number; request: EngineRequest }
  | { kind: "run"; id: number; job: Job }
  | { kind: "abort"; id: number };

/** Worker to page. */
export type Reply =
  | { kind: "loading"; id: number; progress: LoadProgress }
  /** `files` where the order asked to share them. */
  | { kind: "loaded"; id: number; info: RerankerInfo; files?: SuppliedFiles }
  | { kind: "started"; id: number }
  | { kind: "batch"; id: number; progress: NativeProgress }
  | { kind: "done"; id: number; result: JobResult }
  /** `lost`: the device whose engine is gone with this request; absent: the worker goes on. */
  | { kind: "failed"; id: number; error: ErrorData; lost?: DeviceKind };
