// Any language model of the AI SDK (package `ai`) as an `Llm`: structured output by JSON Schema, the SDK's retries (they honour
// Retry-After), a time limit, and a limit of calls at once. What cannot be read as JSON is handed on as it is: the caller repairs it.
// Streams where somebody listens.
import type { LanguageModel, ModelMessage } from "ai";
import { aborted, RerankError } from "../errors.js";
import type { Llm, LlmAnswer, LlmOptions, LlmRequest } from "../llm.js";
import { limit } from "../limit.js";
import { hider } from "./hider.js";

export interface AiSdkOptions {
  /** Attempts after a failed one. Default 4. */
  maxRetries?: number;
  /** Milliseconds for one answer, its retries included. Default 120000. */
  timeoutMs?: number;
  /** Calls at once. Default 4. */
  parallel?: number;
  /** The key of the model, if you know it: it is taken out of answers and errors, should a server repeat it. */
  apiKey?: string | undefined;
  /** As exports name it. Defaults: what the model says of itself. */
  provider?: string;
  model?: string;
}

/** A model that says what it is called. */
export type NamedLlm = Llm & { readonly provider: string; readonly model: string };

/** Longest text of a provider that an error repeats. */
const OWN_WORDS = 300;

type Ai = typeof import("ai");

async function load(): Promise<Ai> {
  try {
    return await import("ai");
  } catch (error) {
    throw new RerankError("llm", "the package \"ai\" could not be loaded; install it beside foliorank", { cause: error });
  }
}

/** `model`, or what gives it when first asked. */
export function fromAiSdk(model: LanguageModel | (() => Promise<LanguageModel>), options: AiSdkOptions = {}): NamedLlm {
  const { maxRetries = 4, timeoutMs = 120_000, parallel = 4, apiKey } = options;
  const { hide, begun } = hider(apiKey);
  const inTurn = limit(parallel);
  const isLoader = typeof model === "function";
  let loaded: Promise<LanguageModel> | undefined;

  async function answer(request: LlmRequest, { signal, onText }: LlmOptions): Promise<LlmAnswer> {
    const ai = await load();
    const own = isLoader ? await (loaded ??= model()) : model;
    const late = AbortSignal.timeout(timeoutMs);
    const { system, schema, maxTokens, temperature } = request;
    const asked = {
      model: own, system, prompt: prompt(request), temperature, maxRetries, abortSignal: AbortSignal.any([signal, late]),
      ...(maxTokens === undefined ? {} : { maxOutputTokens: maxTokens }),
      ...(schema ? { output: ai.Output.object({ schema: ai.jsonSchema(schema) }) } : {}),
    };
    try {
      const { text, usage } = onText
        // Errors come in the stream; without onError the SDK would also write them to the console.
        ? await streamed(ai.streamText({ ...asked, onError: () => undefined }), (sofar) => onText(begun(sofar)))
        : await ai.generateText(asked);
      return { text: hide(text), ...tokens(usage) };
    } catch (error) {
      if (ai.NoObjectGeneratedError.isInstance(error) && error.text !== undefined) return { text: hide(error.text), ...tokens(error.usage) };
      if (signal.aborted) throw aborted("the request", signal);
      if (late.aborted) throw new RerankError("llm", `no answer within ${timeoutMs / 1000} s`);
      // Without a cause: the SDK's errors carry what was sent and what came back.
      throw new RerankError("llm", hide(wordsOf(error)));
    }
  }

  const llm: Llm = (request, asked) => inTurn(() => answer(request, asked), asked.signal);
  const said = isLoader || typeof model === "string" ? { provider: "ai", modelId: isLoader ? "" : model } : model;
  return Object.assign(llm, { provider: options.provider ?? said.provider, model: options.model ?? said.modelId });
}

/** The text alone, or images and then the text, which models read best in this order. */
function prompt({ user, images = [] }: LlmRequest): string | ModelMessage[] {
  if (images.length === 0) return user;
  const parts = images.map(({ data, mediaType }) => ({ type: "image" as const, image: data, mediaType }));
  return [{ role: "user", content: [...parts, { type: "text", text: user }] }];
}

/** What of the SDK's stream is looked at. It ends without an error where it was aborted, and tells errors as parts. */
interface Streamed {
  fullStream: AsyncIterable<{ type: string; text?: string; error?: unknown }>;
  usage: PromiseLike<Usage>;
}

async function streamed(answer: Streamed, onText: (text: string) => void): Promise<{ text: string; usage: Usage }> {
  let text = "";
  for await (const part of answer.fullStream) {
    if (part.type === "error") throw part.error;
    if (part.type === "abort") throw new Error("the stream was aborted");
    if (part.type !== "text-delta" || !part.text) continue;
    text += part.text;
    onText(text);
  }
  // Not taken before: nobody would wait for it if the stream failed.
  return { text, usage: await answer.usage };
}

interface Usage {
  inputTokens: number | undefined;
  outputTokens: number | undefined;
}

const tokens = (usage: Usage | undefined): Omit<LlmAnswer, "text"> =>
  ({ inputTokens: usage?.inputTokens ?? 0, outputTokens: usage?.outputTokens ?? 0 });

/** What went wrong, in a line: the last attempt's status and the provider's words. */
function wordsOf(error: unknown): string {
  const { lastError, statusCode, responseBody, message, cause } = (error ?? {}) as {
    lastError?: unknown; statusCode?: number; responseBody?: string; message?: string; cause?: unknown;
  };
  if (lastError !== undefined && lastError !== error) return wordsOf(lastError);
  const said = message || responseBody || (cause instanceof Error ? cause.message : "") || String(error);
  const status = statusCode === undefined ? "" : `HTTP ${statusCode}: `;
  return (status + said).slice(0, OWN_WORDS);
}
