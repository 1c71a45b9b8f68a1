// What travels between the page and the logic worker. Every message carries the id of its call; an ask has an id of its own too.
import type { ErrorData } from "../errors.js";
import type { WasmPlaces } from "../place.js";
import type { AskKind } from "./glue.js";

export type LogicPlaces = Pick<WasmPlaces, "logic" | "images">;

/** What a worker needs to start; the first message. */
export interface LogicStart {
  /** Absent where the page has supplied it. */
  wasm?: LogicPlaces;
  /** How many instances this realm had before. */
  generation: number;
  /** Nothing else runs in this realm. */
  exclusive: boolean;
}

/** Page to worker. */
export type LogicOrder =
  | { kind: "start"; start: LogicStart }
  | { kind: "call"; id: number; method: string; args: unknown }
  | { kind: "abort"; id: number }
  | { kind: "answer"; id: number; ask: number; value: unknown }
  | { kind: "refusal"; id: number; ask: number; error: ErrorData };

/** Worker to page. */
export type LogicReply =
  | { kind: "progress"; id: number; progress: unknown }
  | { kind: "ask"; id: number; ask: number; what: AskKind; payload: unknown }
  | { kind: "result"; id: number; value: unknown }
  /** `lost`: the instance is gone with this call, and everything else that it was doing. */
  | { kind: "failed"; id: number; error: ErrorData; lost?: true };
