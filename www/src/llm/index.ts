// `foliorank/llm`: language models for the package's `Llm` seam, through the kept SDK of the field. Apart from the package's core, and
// every provider's package is loaded on the first question to it. Keys live in closures: no storage, no URL, no error has them.
export { fromAiSdk, type AiSdkOptions, type NamedLlm } from "./ai-sdk.js";
export { builtIn } from "./built-in.js";
export { anthropic, google, openAiCompatible, type HostedOptions, type OpenAiCompatibleOptions } from "./hosted.js";
export type { Llm, LlmAnswer, LlmImage, LlmOptions, LlmRequest } from "../llm.js";
