// The model that comes with the browser (Chrome's Prompt API), where there is one. Small: good for a try, not for verification.
import { aborted, RerankError } from "../errors.js";
import type { Llm } from "../llm.js";
import type { NamedLlm } from "./ai-sdk.js";
import { limit } from "../limit.js";

interface Session {
  prompt(text: string, options: { responseConstraint?: unknown; signal: AbortSignal }): Promise<string>;
  promptStreaming?(text: string, options: { responseConstraint?: unknown; signal: AbortSignal }): AsyncIterable<string>;
  readonly inputUsage?: number;
  destroy(): void;
}

interface PromptApi {
  availability(): Promise<"unavailable" | "downloadable" | "downloading" | "available">;
  create(options: { initialPrompts: { role: "system"; content: string }[]; signal: AbortSignal }): Promise<Session>;
}

/** Undefined where the browser has no model. The first question may download it. Temperature and length are the browser's. */
export async function builtIn(): Promise<NamedLlm | undefined> {
  const api = (globalThis as { LanguageModel?: PromptApi }).LanguageModel;
  if (!api || await api.availability() === "unavailable") return undefined;
  const inTurn = limit(1);
  const llm: Llm = ({ system, user, images = [], schema }, { signal, onText }) => inTurn(async () => {
    let session: Session | undefined;
    if (images.length > 0) throw new RerankError("llm", "the browser's model reads text only; name another one for images");
    try {
      session = await api.create({ initialPrompts: [{ role: "system", content: system }], signal });
      const options = { signal, ...(schema ? { responseConstraint: schema } : {}) };
      let text = "";
      if (onText && session.promptStreaming) {
        for await (const piece of session.promptStreaming(user, options)) onText(text += piece);
      } else text = await session.prompt(user, options);
      // It counts what a session holds, question and answer together.
      return { text, inputTokens: session.inputUsage ?? 0, outputTokens: 0 };
    } catch (error) {
      if (signal.aborted) throw aborted("the request", signal);
      throw new RerankError("llm", `the browser's model: ${(error as Error).message}`, { cause: error });
    } finally {
      session?.destroy();
    }
  }, signal);
  return Object.assign(llm, { provider: "browser", model: "built-in" });
}
