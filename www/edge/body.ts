// Reads a JSON body within a limit. What announces more is refused before a byte is read, what turns out to be more as soon as it does.
// Time is the caller's business: its signal cancels the read.
import { Problem } from "./problem.js";

async function readText(request: Request, limit: number, signal: AbortSignal): Promise<string> {
  const tooLarge = (): Problem => new Problem("too_large", `the body may have ${limit} bytes`);
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge();
  if (!request.body) return "";
  const reader = request.body.getReader();
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", cancel, { once: true });
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return text + decoder.decode();
      bytes += value.length;
      if (bytes > limit) throw tooLarge();
      text += decoder.decode(value, { stream: true });
    }
  } catch (error) {
    cancel();
    if (error instanceof TypeError) throw new Problem("invalid_argument", "the body is cut short or not UTF-8");
    throw error;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

/** What the native server's parser refuses too. Whatever walks through a deeper value would run out of stack. */
const DEEPEST = 128;

function depth(value: object): number {
  let level = 0;
  for (let values = [value]; values.length > 0 && level < DEEPEST; level += 1) {
    values = values.flatMap((outer) => Object.values(outer).filter((inner): inner is object => typeof inner === "object" && inner !== null));
  }
  return level;
}

/** The body's JSON object. */
export async function readJson(request: Request, limit: number, signal: AbortSignal): Promise<Record<string, unknown>> {
  const text = await readText(request, limit, signal);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Problem("invalid_argument", `the body must be JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Problem("invalid_argument", "the body must be a JSON object");
  if (depth(value) >= DEEPEST) throw new Problem("invalid_argument", `the body must be JSON: expected fewer than ${DEEPEST} values in one another`);
  return value as Record<string, unknown>;
}
