// Language models behind an HTTP API, through the AI SDK's provider packages. A key is sent encrypted or within this machine only.
import type { LanguageModel } from "ai";
import { RerankError } from "../errors.js";
import { fromAiSdk, type AiSdkOptions, type NamedLlm } from "./ai-sdk.js";
import { mayCarryKey } from "./base-url.js";
import { inForms } from "./forms.js";

export interface HostedOptions extends Omit<AiSdkOptions, "apiKey" | "provider" | "model"> {
  /** The model's name there. */
  model: string;
  apiKey?: string;
  /** Where the API is, if not at its usual place: a proxy of yours, say. */
  baseUrl?: string;
}

export interface OpenAiCompatibleOptions extends HostedOptions {
  /** OpenAI, Ollama, LM Studio, llama.cpp, vLLM: `http://127.0.0.1:8080/v1`. */
  baseUrl: string;
  /**
   * Whether to try a JSON Schema. Default true: a server that refuses it is asked for any JSON, then in words, and what it takes is
   * remembered. False spares the first try.
   */
  structuredOutputs?: boolean;
}

/** Every server that speaks OpenAI's language. Needs `@ai-sdk/openai-compatible`. */
export function openAiCompatible(options: OpenAiCompatibleOptions): NamedLlm {
  const { structuredOutputs = true } = options;
  return hosted("openai", options, async (place) => {
    const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
    const { baseURL = options.baseUrl, apiKey } = place;
    const create = createOpenAICompatible({ name: "openai", baseURL, supportsStructuredOutputs: true, ...(apiKey ? { apiKey } : {}) });
    return inForms(create(options.model), structuredOutputs ? "schema" : "object");
  });
}

/** Needs `@ai-sdk/anthropic`. */
export function anthropic(options: HostedOptions): NamedLlm {
  return hosted("anthropic", options, async (place) => {
    const { createAnthropic } = await import("@ai-sdk/anthropic");
    // Anthropic's word for: the key is the visitor's own.
    return createAnthropic({ ...place, headers: { "anthropic-dangerous-direct-browser-access": "true" } })(options.model);
  });
}

/** Needs `@ai-sdk/google`. */
export function google(options: HostedOptions): NamedLlm {
  return hosted("google", options, async (place) => {
    const { createGoogleGenerativeAI } = await import("@ai-sdk/google");
    return createGoogleGenerativeAI(place)(options.model);
  });
}

interface Place {
  baseURL?: string;
  apiKey?: string;
}

function hosted(provider: string, options: HostedOptions, create: (place: Place) => Promise<LanguageModel>): NamedLlm {
  const { model, apiKey, baseUrl, ...rest } = options;
  if (baseUrl !== undefined && !mayCarryKey(baseUrl) && apiKey) throw new RerankError("invalid_argument", "baseUrl: a key travels over https or within this machine only, found http:");
  const place: Place = { ...(baseUrl ? { baseURL: baseUrl.replace(/\/+$/, "") } : {}), ...(apiKey ? { apiKey } : {}) };
  const load = async (): Promise<LanguageModel> => {
    try {
      return await create(place);
    } catch (error) {
      const package_ = `@ai-sdk/${provider === "openai" ? "openai-compatible" : provider}`;
      const { message } = error as Error;
      throw new RerankError("llm", `${package_} could not be set up: ${apiKey ? message.replaceAll(apiKey, "***") : message}`);
    }
  };
  return fromAiSdk(load, { ...rest, apiKey, model, provider: baseUrl ? `${provider}:${baseUrl}` : provider });
}
