// The entry `foliorank/edge`: the HTTP handler for servers and edge workers.
export { createHandler, type Handler, type HandlerOptions, type Limits } from "./handler.js";
export type { HttpCode } from "./problem.js";
export type { LlmLimits, LlmUpstream } from "./proxy.js";
