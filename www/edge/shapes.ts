// The request and answer shapes of Cohere (v1 and v2), Jina, and Text Embeddings Inference, as one question and back.
// A body with `texts` is TEI's, on whatever path it comes.
import type { RerankResponse } from "../src/types.js";
import { Problem } from "./problem.js";

type Shape = "cohere" | "tei";

/** A rerank request, whatever it looked like. */
export interface Question {
  shape: Shape;
  query: string;
  documents: { text: string; [field: string]: unknown }[];
  topN?: number;
  returnDocuments: boolean;
  rawScores: boolean;
  maxTokensPerDocument?: number;
  window?: number;
  overlap?: number;
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

/** Reads the fields of a body and says which are wrong. */
class Fields {
  constructor(readonly body: Record<string, unknown>) {}

  wrong(name: string, expected: string): Problem {
    return new Problem("invalid_argument", `${name}: expected ${expected}, found ${shown(this.body[name])}`);
  }

  text(name: string): string {
    const value = this.body[name];
    if (typeof value !== "string") throw this.wrong(name, "a string");
    return value;
  }

  flag(name: string): boolean {
    const value = this.body[name];
    if (value === undefined || value === null) return false;
    if (typeof value !== "boolean") throw this.wrong(name, "true or false");
    return value;
  }

  count(name: string): number | undefined {
    const value = this.body[name];
    if (value === undefined || value === null) return undefined;
    if (!Number.isInteger(value) || (value as number) < 1) throw this.wrong(name, "a whole number above 0");
    return value as number;
  }

  list(name: string, most: number): unknown[] {
    const value = this.body[name];
    if (!Array.isArray(value)) throw this.wrong(name, "a list");
    if (value.length > most) throw new Problem("too_large", `${name}: expected at most ${most}, found ${value.length}`);
    return value;
  }
}

function documentOf(value: unknown, place: string): Question["documents"][number] {
  if (typeof value === "string") return { text: value };
  if (typeof value === "object" && value !== null && typeof (value as { text?: unknown }).text === "string") return value as { text: string };
  throw new Problem("invalid_argument", `${place}: expected a string or an object with a string \`text\`, found ${shown(value)}`);
}

const present = <K extends string>(name: K, value: number | undefined): { [name in K]?: number } =>
  (value === undefined ? {} : { [name]: value }) as { [name in K]?: number };

/** Decodes a body; `most` documents are allowed. */
export function decodeRerank(body: Record<string, unknown>, most: number): Question {
  const fields = new Fields(body);
  const query = fields.text("query");
  if ("texts" in body) {
    const documents = fields.list("texts", most).map((text, index) => {
      if (typeof text !== "string") throw new Problem("invalid_argument", `texts[${index}]: expected a string, found ${shown(text)}`);
      return { text };
    });
    return { shape: "tei", query, documents, returnDocuments: fields.flag("return_text"), rawScores: fields.flag("raw_scores") };
  }
  return {
    shape: "cohere", query,
    documents: fields.list("documents", most).map((document, index) => documentOf(document, `documents[${index}]`)),
    returnDocuments: fields.flag("return_documents"),
    rawScores: fields.flag("raw_scores"),
    ...present("topN", fields.count("top_n")),
    ...present("maxTokensPerDocument", fields.count("max_tokens_per_doc")),
    ...present("window", fields.count("window")),
    ...present("overlap", fields.count("overlap")),
  };
}

/** Encodes an answer in the shape of its question. */
export function encodeRerank(question: Question, response: RerankResponse<Question["documents"][number]>, model: string, requestId: string): unknown {
  const { results, usage } = response;
  if (question.shape === "tei") {
    return results.map(({ index, relevanceScore }) => ({
      index, score: relevanceScore, ...(question.returnDocuments ? { text: question.documents[index]?.text } : {}),
    }));
  }
  return {
    id: requestId, model,
    results: results.map(({ index, relevanceScore, passage, document }) => ({
      index, relevance_score: relevanceScore,
      ...(passage ? { passage: { start: passage.start, end: passage.end } } : {}),
      ...(question.returnDocuments ? { document } : {}),
    })),
    usage: { total_tokens: usage.tokens, prompt_tokens: usage.tokens },
    meta: { api_version: { version: "2" }, billed_units: { search_units: 1 }, tokens: { input_tokens: usage.tokens } },
  };
}

/** The texts of an OpenAI embeddings request, and how the vectors are wanted. */
export function decodeEmbeddings(body: Record<string, unknown>, most: number): { texts: string[]; base64: boolean } {
  const fields = new Fields(body);
  const input = typeof body.input === "string" ? [body.input] : fields.list("input", most);
  const texts = input.map((text, index) => {
    if (typeof text !== "string") throw new Problem("invalid_argument", `input[${index}]: expected a string, found ${shown(text)}`);
    return text;
  });
  const format = body.encoding_format ?? "float";
  if (format !== "float" && format !== "base64") throw fields.wrong("encoding_format", '"float" or "base64"');
  return { texts, base64: format === "base64" };
}

const toBase64 = (vector: Float32Array): string => {
  const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
};

/** Vectors, `dimensions` numbers each, in OpenAI's shape. */
export function encodeEmbeddings(
  { vectors, dimensions, tokens }: { vectors: Float32Array; dimensions: number; tokens: number }, base64: boolean, model: string,
): unknown {
  const data = Array.from({ length: dimensions ? vectors.length / dimensions : 0 }, (_, index) => {
    const vector = vectors.slice(index * dimensions, (index + 1) * dimensions);
    return { object: "embedding", index, embedding: base64 ? toBase64(vector) : Array.from(vector) };
  });
  return { object: "list", data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } };
}
