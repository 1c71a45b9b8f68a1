// Forwards chat completions to one language model, with the key added here, so that no page has it: one path, named models, known
// fields, limits of size and time. Answers pass through, streamed or whole; errors do not, because they may show the key or the place.
import { RerankError } from "../src/errors.js";
import { mayCarryKey } from "../src/llm/base-url.js";
import { readJson } from "./body.js";
import { Gate } from "./gate.js";
import { checkLimits } from "./limits.js";
import { Problem } from "./problem.js";

/** What a chat completion may cost. */
export interface LlmLimits {
  /** Bytes of a body; default 1 MiB. */
  bodyBytes?: number;
  /** Bytes of an answer; default 4 MiB. */
  answerBytes?: number;
  /** Tokens of an answer: the most that may be asked for, and what is asked for where a request does not say; default 4,096. */
  tokens?: number;
  /** Requests forwarded at once; default 4. */
  concurrency?: number;
  /** Requests that may wait; default 16. One more is answered 429. */
  queue?: number;
  /** Milliseconds for a request, from its first byte to the last of the answer; default 120,000. */
  timeoutMs?: number;
}

export interface LlmUpstream {
  /** Where an OpenAI-compatible API is: `https://host/v1`. A key goes only over https, or within this machine. */
  baseUrl: string;
  /** Sent as `Authorization: Bearer …`. */
  key?: string;
  /** Names of models that may be asked. The first is asked where a request names none. */
  models: readonly string[];
  limits?: LlmLimits;
}

const DEFAULTS: Required<LlmLimits> = { bodyBytes: 2 ** 20, answerBytes: 4 * 2 ** 20, tokens: 4096, concurrency: 4, queue: 16, timeoutMs: 120_000 };
/** `n`, which multiplies what an answer costs, and `store` are not among them. */
const FIELDS = [
  "model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "seed", "frequency_penalty", "presence_penalty",
  "response_format", "tools", "tool_choice", "parallel_tool_calls", "reasoning_effort", "stream", "stream_options", "user",
];
const encoder = new TextEncoder();

/** The pieces of an answer, as long as they are not too many. */
async function* pieces(body: ReadableStream<Uint8Array<ArrayBuffer>>, most: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => { throw new Problem("llm", "the language model broke off its answer", {}, error); });
      if (done) return;
      bytes += value.length;
      if (bytes > most) throw new Problem("llm", `the language model's answer has more than ${most} bytes`);
      yield value;
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

/** What an upstream's refusal is for the client. Of its words none are told. */
function refusal({ status, headers }: Response): Problem {
  const cause = new Error(`the upstream answered ${status}`);
  if (status === 429) {
    const after = /^\d{1,6}$/.exec(headers.get("retry-after") ?? "")?.[0];
    return new Problem("busy", "the language model is busy: try again later", after === undefined ? {} : { "retry-after": after }, cause);
  }
  if ([400, 413, 422].includes(status)) return new Problem("invalid_argument", `the language model refused the request (${status})`, {}, cause);
  return new Problem("llm", "the language model could not answer", {}, cause);
}

export class LlmProxy {
  readonly #upstream: LlmUpstream;
  readonly #limits: Required<LlmLimits>;
  readonly #gate: Gate;

  /** Throws `invalid_argument`. */
  constructor(upstream: LlmUpstream) {
    if (!mayCarryKey(upstream.baseUrl) && upstream.key) throw new RerankError("invalid_argument", "llm.baseUrl: a key travels over https or within this machine only, found http:");
    if (upstream.models.length === 0) throw new RerankError("invalid_argument", "llm.models: expected the name of a model or more, found none");
    this.#upstream = upstream;
    this.#limits = checkLimits("llm.limits", { ...DEFAULTS, ...upstream.limits });
    this.#gate = new Gate(this.#limits.concurrency, this.#limits.queue);
  }

  /** Resolves when the answer begins. What fails later is said in the stream, as `told` puts it. */
  answer(request: Request, told: (thrown: unknown) => object): Promise<Response> {
    return new Promise((resolve, reject) => void this.#serve(request, resolve, told).catch(reject));
  }

  async #serve(request: Request, answer: (response: Response) => void, told: (thrown: unknown) => object): Promise<void> {
    const ended = new AbortController();
    const { signal } = ended;
    const gone = (): void => ended.abort(new Problem("aborted", "the client has gone"));
    const timer = setTimeout(() => ended.abort(new Problem("timeout", `expected an answer within ${this.#limits.timeoutMs} ms`)), this.#limits.timeoutMs);
    request.signal.addEventListener("abort", gone, { once: true });
    if (request.signal.aborted) gone();
    try {
      const body = this.#decode(await readJson(request, this.#limits.bodyBytes, signal));
      // The turn lasts until the answer's last byte.
      await this.#gate.run(async () => {
        const upstream = await this.#ask(body, signal);
        const isStream = /^text\/event-stream\b/i.test(upstream.headers.get("content-type") ?? "");
        await (isStream ? this.#stream(upstream.body, answer, { gone, told: (thrown) => told(signal.aborted ? signal.reason : thrown) }) : this.#whole(upstream, answer));
      }, signal);
    } catch (thrown) {
      throw signal.aborted ? signal.reason : thrown;
    } finally {
      clearTimeout(timer);
      request.signal.removeEventListener("abort", gone);
    }
  }

  /** The body as it goes on. */
  #decode(body: Record<string, unknown>): object {
    const strange = Object.keys(body).find((field) => !FIELDS.includes(field));
    if (strange !== undefined) throw new Problem("invalid_argument", `${strange}: expected one of ${FIELDS.join(", ")}`);
    const { models } = this.#upstream;
    const { model = models[0], messages } = body;
    if (!models.includes(model as string)) throw new Problem("invalid_argument", `model: expected one of ${models.join(", ")}`);
    if (!Array.isArray(messages) || messages.length === 0) throw new Problem("invalid_argument", "messages: expected a list of messages");
    const most = this.#limits.tokens;
    const asked = (["max_tokens", "max_completion_tokens"] as const).filter((name) => (body[name] ?? undefined) !== undefined);
    const wrong = asked.find((name) => !Number.isInteger(body[name]) || (body[name] as number) < 1 || (body[name] as number) > most);
    if (wrong !== undefined) throw new Problem("invalid_argument", `${wrong}: expected a whole number from 1 to ${most}`);
    return { ...body, model, ...(asked.length === 0 ? { max_tokens: most } : {}) };
  }

  async #ask(body: object, signal: AbortSignal): Promise<Response> {
    const { baseUrl, key } = this.#upstream;
    let response: Response;
    try {
      response = await fetch(`${baseUrl.replace(/\/+$/, "")}/chat/completions`, {
        method: "POST", signal, body: JSON.stringify(body),
        // Somewhere else is not where the key was meant to go.
        redirect: "manual",
        headers: { "content-type": "application/json", ...(key ? { authorization: `Bearer ${key}` } : {}) },
      });
    } catch (error) {
      throw new Problem("llm", "the language model could not be reached", {}, error);
    }
    if (response.ok) return response;
    await response.body?.cancel().catch(() => undefined);
    throw refusal(response);
  }

  async #whole({ body, headers }: Response, answer: (response: Response) => void): Promise<void> {
    const isJson = /^application\/json\b/i.test(headers.get("content-type") ?? "");
    if (!isJson || !body) {
      await body?.cancel().catch(() => undefined);
      throw new Problem("llm", "the language model answered in another language than JSON");
    }
    const found: Uint8Array<ArrayBuffer>[] = [];
    for await (const piece of pieces(body, this.#limits.answerBytes)) found.push(piece);
    answer(new Response(new Blob(found), { headers: { "content-type": "application/json" } }));
  }

  async #stream(
    body: Response["body"], answer: (response: Response) => void, { gone, told }: { gone: () => void; told: (thrown: unknown) => object },
  ): Promise<void> {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    writer.closed.catch(gone);
    answer(new Response(readable, { headers: { "content-type": "text/event-stream", "cache-control": "no-store" } }));
    try {
      if (body) for await (const piece of pieces(body, this.#limits.answerBytes)) await writer.write(piece);
    } catch (thrown) {
      // As OpenAI says it in a stream. Behind half an event it begins a new one.
      await writer.write(encoder.encode(`\n\ndata: ${JSON.stringify(told(thrown))}\n\n`)).catch(() => undefined);
    }
    await writer.close().catch(() => undefined);
  }
}
