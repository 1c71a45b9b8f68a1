// Refusals as HTTP: a stable code, the status that goes with it, and a body that Cohere's clients read too.
// Errors of the reranker keep their own codes.
import type { ErrorCode, RerankError } from "../src/errors.js";

/** Codes of the handler itself, beside those of the library. */
export type HttpCode = ErrorCode | "unauthorized" | "not_found" | "method_not_allowed" | "too_large" | "busy" | "timeout";

const STATUS: Partial<Record<HttpCode, number>> = {
  invalid_argument: 400, unauthorized: 401, not_found: 404, method_not_allowed: 405, too_large: 413, busy: 429,
  // Not in the standard; what proxies write when the client has gone. Nobody reads it but the log.
  aborted: 499,
  timeout: 504, llm: 502, download: 503, no_webgpu: 503, device_lost: 503, out_of_memory: 503,
};

/** A request that is not answered with a ranking, and why. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(readonly code: HttpCode, message: string, readonly headers: Record<string, string> = {}, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
  }

  get status(): number {
    return STATUS[this.code] ?? 500;
  }
}

/** Anything thrown, as a Problem. What is not ours is not told to the world. */
export function toProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  // By its name: a reranker that was handed in brings the error class of another entry.
  if (thrown instanceof Error && thrown.name === "RerankError") return new Problem((thrown as RerankError).code, thrown.message);
  return new Problem("internal", "the request could not be answered");
}

export const problemBody = ({ code, message }: Problem, requestId: string): object => ({ message, error: { code, message }, request_id: requestId });
