// An answer from ranked passages without a language model: the sentence of each that answers best, by the local model.
import type { Doing, Model } from "../model.js";
import type { Span } from "../pages.js";
import { sentences, type Passage } from "../find/passages.js";

/** Passages looked at more closely. */
export const LOOKED_AT = 4;
/** Headings do not answer. */
const ENDS = /[.!?:;\u3002\uff01\uff1f\u0964]["\u201d\u2019)\]]*$/u;

export interface Quote {
  passage: Passage;
  /** The model's own number, 0..1: of the whole passage or of the sentence, whichever is more. */
  score: number;
  /** The answering sentence, in offsets of the passage's text. */
  sentence: Span;
  /** The same with a sentence before and one after it. */
  around: Span;
}

/** The best passages with the sentence of each that answers best; the surest first. */
export async function quotes(query: string, passages: readonly Passage[], model: string, doing: Doing & { models: Model }): Promise<Quote[]> {
  const own = passages.slice(0, LOOKED_AT);
  const parts = own.flatMap((passage) => {
    const spans = sentences(passage.text);
    const whole = spans.filter((span) => ENDS.test(passage.text.slice(span.start, span.end)));
    return (whole.length > 0 ? whole : spans).map((span) => {
      const place = spans.indexOf(span);
      const around = { start: (spans[place - 1] ?? span).start, end: (spans[place + 1] ?? span).end };
      return { passage, span, around, text: passage.text.slice(span.start, span.end) };
    });
  });
  const reranker = await doing.models.start(doing, model);
  const { signal } = doing;
  const wholes = await reranker.rerank(query, own, { signal });
  const pieces = await reranker.rerank(query, parts, { signal });
  // It may have gone on elsewhere, on the CPU.
  doing.models.changed();
  const scores = new Map(wholes.results.map(({ index, relevanceScore }) => [own[index], relevanceScore]));
  const found = own.flatMap((passage): Quote[] => {
    const best = pieces.results.find(({ index }) => parts[index]?.passage === passage);
    const part = best && parts[best.index];
    // Where one sentence answers, the others around it can pull the passage down.
    return part ? [{ passage, score: Math.max(scores.get(passage) ?? 0, best.relevanceScore), sentence: part.span, around: part.around }] : [];
  });
  return found.sort((one, other) => other.score - one.score);
}
