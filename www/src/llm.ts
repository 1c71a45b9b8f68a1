// The seam to a language model: the caller's own function, over whatever transport and with whatever key it has.
// Types only. Prompts are the library's, and what comes back is checked there.

/** An image as a model sees it: PNG or JPEG, upright, scaled. */
export interface LlmImage {
  /** A whole file. */
  data: Uint8Array;
  mediaType: "image/png" | "image/jpeg";
  width: number;
  height: number;
}

/** One question. */
export interface LlmRequest {
  /** Instructions, apart from any document's text. */
  system: string;
  /** The task and the documents, fenced and labelled as data. */
  user: string;
  /** What `user` speaks of as attached, in that order; absent: nothing. Only models that see can answer. */
  images?: LlmImage[];
  /** JSON Schema of the answer; absent: plain text. */
  schema?: Record<string, unknown>;
  /** Most tokens of the answer; absent: the provider's limit. */
  maxTokens?: number;
  /** 0 for verdicts and rankings, higher for variety. */
  temperature: number;
}

/** One answer. */
export interface LlmAnswer {
  /** JSON when a schema was given; it need not be valid. */
  text: string;
  /** Tokens read, as the provider counts; 0 when it does not say. */
  inputTokens: number;
  /** Tokens written. */
  outputTokens: number;
}

/** How one question is asked. */
export interface LlmOptions {
  /** Aborted when the answer is no longer wanted. */
  signal: AbortSignal;
  /**
   * Told the answer as far as it has come, all of it each time, while it is being written. A model that cannot stream may leave it alone:
   * the answer itself is whole in any case. Where the work ends with an error, what came before it stands.
   */
  onText?: (text: string) => void;
}

/**
 * Answers one question. What it throws ends the work with code `llm`, or with the error's own `code` where that is one of ERROR_CODES.
 * Retries are its own business.
 */
export type Llm = (request: LlmRequest, options: LlmOptions) => Promise<LlmAnswer>;
