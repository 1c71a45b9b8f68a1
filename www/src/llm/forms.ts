// How a server that speaks OpenAI's language is asked for JSON, and what it was found to take. The strict schema first; a server that
// refuses it is asked for any JSON object, and one that refuses that too in words alone; both get the schema in words. What worked is
// remembered, so nothing is refused twice. Below the SDK, whose retries and whose count of answers know nothing of it.
import type { createOpenAICompatible } from "@ai-sdk/openai-compatible";

type Model = ReturnType<ReturnType<typeof createOpenAICompatible>>;
type Options = Parameters<Model["doGenerate"]>[0];
type Message = Options["prompt"][number];

/** Ways to ask for JSON; the later, the more servers take it. */
const FORMS = ["schema", "object", "words"] as const;
export type Form = (typeof FORMS)[number];

export const IN_WORDS = "Answer with one JSON object and nothing around it. It must follow this JSON Schema:";

/** `model`, asked in the forms from `first` on until one is not refused. */
export function inForms(model: Model, first: Form): Model {
  let taken: Form | undefined;

  async function ask<T>(options: Options, send: (options: Options) => PromiseLike<T>, heard: (answer: T, told: (text: string) => void) => T): Promise<T> {
    if (options.responseFormat?.type !== "json" || !options.responseFormat.schema) return send(options);
    let form = taken ?? first;
    for (;;) {
      try {
        const asked = form;
        // A text without any object says that the form was ignored. Whoever asked at the same time may know more.
        return heard(await send(put(options, form)), (text) => {
          const worked = text.includes("{") || !text.trim() ? asked : "words";
          if (place(worked) > place(taken)) taken = worked;
        });
      } catch (error) {
        if (!mayBeRefused(error)) throw error;
        // Neither will the same again do better: the SDK would try a 501 again.
        Object.assign(error, { isRetryable: false });
        const next = form === taken ? undefined : FORMS[Math.max(place(taken), place(form) + 1)];
        if (next === undefined) throw error;
        form = next;
      }
    }
  }

  return {
    specificationVersion: model.specificationVersion, provider: model.provider, modelId: model.modelId, supportedUrls: model.supportedUrls,
    doGenerate: (options) => ask(options, (put) => model.doGenerate(put), (answer, told) => {
      told(answer.content.map((part) => (part.type === "text" ? part.text : "")).join(""));
      return answer;
    }),
    doStream: (options) => ask(options, (put) => model.doStream(put), (answer, told) => {
      let text = "";
      return {
        ...answer,
        stream: answer.stream.pipeThrough(new TransformStream({
          transform(part, controller) {
            if (part.type === "text-delta") text += part.delta;
            if (part.type === "finish") told(text);
            controller.enqueue(part);
          },
        })),
      };
    }),
  };
}

const place = (form: Form | undefined): number => (form === undefined ? -1 : FORMS.indexOf(form));

function put(options: Options, form: Form): Options {
  if (form === "schema" || options.responseFormat?.type !== "json") return options;
  const words = `${IN_WORDS}\n${JSON.stringify(options.responseFormat.schema)}`;
  const [first, ...rest] = options.prompt;
  const prompt: Message[] = first?.role === "system"
    ? [{ ...first, content: `${first.content}\n\n${words}` }, ...rest]
    : [{ role: "system", content: words }, ...options.prompt];
  return { ...options, prompt, responseFormat: { type: form === "object" ? "json" : "text" } };
}

/**
 * Whether a refusal may be about the form. What it is about is seldom said in a way to rely on, so most refusals are tried once more; a
 * breakdown only where the server names the schema.
 */
function mayBeRefused(error: unknown): error is Error {
  const { statusCode, message = "", responseBody = "" } = (error ?? {}) as { statusCode?: number; message?: string; responseBody?: string };
  return [400, 415, 422, 501].includes(statusCode ?? 0)
    || (statusCode === 500 && /response_format|json.schema|grammar/i.test(message + responseBody));
}
