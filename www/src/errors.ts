// The one error type of the package. `code` is stable and for programs, `message` is for people.
// Errors cross the worker boundary as plain data and come out as RerankError again.

export const ERROR_CODES = [
  "invalid_argument", "no_webgpu", "device_lost", "out_of_memory", "download", "checksum", "manifest",
  "weights", "tokenizer", "self_test", "storage", "llm", "budget", "aborted", "internal",
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

export class RerankError extends Error {
  override readonly name = "RerankError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The engine died over this request, or could not be started again for it; another worker may do better. */
export class EngineLost extends RerankError {}

/** An error as data, for postMessage. */
export interface ErrorData {
  code: ErrorCode;
  message: string;
}

const isCode = (value: unknown): value is ErrorCode => ERROR_CODES.some((code) => code === value);

const messageOf = (value: unknown): string => {
  if (value instanceof Error) return value.message || value.name;
  return typeof value === "string" ? value : String(value);
};

/** A WASM trap: the instance's memory can no longer be trusted. */
export function isTrap(value: unknown): boolean {
  // RangeError "Maximum call stack size exceeded" inside WASM leaves its shadow stack half unwound: the same verdict.
  return value instanceof WebAssembly.RuntimeError || (value instanceof RangeError && /call stack/i.test(value.message));
}

/** Anything thrown, as a RerankError: a known `code` is kept, the rest is `internal`. */
export function toRerankError(value: unknown): RerankError {
  if (value instanceof RerankError) return value;
  const code = typeof value === "object" && value !== null ? (value as { code?: unknown }).code : undefined;
  if (isCode(code)) return new RerankError(code, messageOf(value), { cause: value });
  if (isTrap(value)) return new RerankError("internal", `the WASM module stopped: ${messageOf(value)}`, { cause: value });
  return new RerankError("internal", messageOf(value), { cause: value });
}

export const toErrorData = (value: unknown): ErrorData => {
  const { code, message } = toRerankError(value);
  return { code, message };
};

export const fromErrorData = ({ code, message }: ErrorData): RerankError => new RerankError(code, message);

/** Rejection for an abort; the signal's own reason is kept as the cause. */
export const aborted = (what: string, signal?: AbortSignal): RerankError =>
  new RerankError("aborted", `${what} was aborted`, signal ? { cause: signal.reason } : undefined);
