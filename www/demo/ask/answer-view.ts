// What is answered, as it is seen: words of a language model as they come, the best of several with the others folded, the quotes that
// the local model found, or that there is no answer.
import { byId, make, makeButton } from "../dom.js";
import type { Passage } from "../find/passages.js";
import type { Span } from "../pages.js";
import { strings } from "../strings.js";
import type { Quote } from "./answer.js";
import { AnswerText } from "./answer-text.js";
import type { Candidate, Candidates } from "./candidates.js";

/** Quotes shown. */
const QUOTED = 3;

export class AnswerView {
  readonly #box = byId("answer");
  readonly #onOpen: (passage: Passage, span?: Span) => void;
  #coming: readonly AnswerText[] = [];

  constructor(onOpen: (passage: Passage, span?: Span) => void) {
    this.#onOpen = onOpen;
  }

  clear(): void {
    this.#box.replaceChildren();
    this.#settle();
  }

  nothing(text: string): void {
    this.#box.replaceChildren(make("p", "nothing", text));
    this.#settle();
  }

  /** Places for answers that are being written. */
  writing(count: number, passages: readonly Passage[]): readonly AnswerText[] {
    this.#coming = Array.from({ length: count }, () => this.#text(passages));
    const list = this.#coming.map(({ element }) => make("li", "coming", element));
    this.#box.replaceChildren(make("h3", "", count === 1 ? strings.answer : strings.answersComing(count)),
      count === 1 ? (this.#coming[0] as AnswerText).element : make("ol", "answers", ...list));
    this.#box.setAttribute("aria-busy", "true");
    return this.#coming;
  }

  /** All of it has come. */
  written(): void {
    this.#settle();
  }

  /** No more will come, and what came stays, with a word on why there is no more of it. */
  broken(note: string): void {
    for (const text of this.#coming) if (text.isEmpty) (text.element.closest("li") ?? text.element).remove();
    if (this.#coming.some((text) => !text.isEmpty)) this.#box.append(make("p", "hint answer-note", note));
    else this.#box.replaceChildren();
    this.#settle();
  }

  /** The best of several, and the others to unfold. */
  ranked({ ranked, nowhere, failed }: Candidates, passages: readonly Passage[]): void {
    const [best, ...others] = ranked;
    if (!best) return;
    this.#box.replaceChildren(make("h3", "", strings.answerBest(ranked.length)), ...this.#candidate(best, passages));
    if (others.length > 0) {
      const list = make("ol", "answers", ...others.map((other) => make("li", "", ...this.#candidate(other, passages))));
      list.start = 2;
      this.#box.append(make("details", "others", make("summary", "", strings.answerOthers(others.length)), list));
    }
    if (nowhere + failed > 0) this.#box.append(make("p", "hint", strings.answerMissing(nowhere, failed)));
    this.#settle();
  }

  quotes(best: readonly Quote[], how: "answer" | "nearest"): void {
    const items = best.map(({ passage, sentence, around, score }, place) => {
      const { text } = passage;
      const before = `${around.start > 0 ? "\u2026 " : ""}${text.slice(around.start, sentence.start)}`;
      const after = `${text.slice(sentence.end, around.end)}${around.end < text.length ? " \u2026" : ""}`;
      const quote = make("blockquote", "quote", before, make("mark", "", text.slice(sentence.start, sentence.end)), after);
      const source = makeButton("link", strings.quoteSource(place + 1, passage.label, passage.file), () => this.#onOpen(passage, sentence));
      return make("li", "", quote, make("p", "quote-foot", source, make("span", "hint", strings.quoteScore(score))));
    });
    if (items.length === 0) return;
    const list = make("ol", "quotes", ...items.slice(0, how === "answer" ? QUOTED : 2));
    if (how === "answer" && !this.#box.hasChildNodes()) this.#box.append(make("h3", "", strings.bestPassages));
    else this.#box.append(make("h4", "", how === "answer" ? strings.sources : strings.nearest));
    this.#box.append(list);
  }

  #text(passages: readonly Passage[]): AnswerText {
    return new AnswerText((number) => {
      const passage = passages[number - 1] as Passage;
      const cite = makeButton("cite", String(number), () => this.#onOpen(passage));
      cite.setAttribute("aria-label", strings.cites(number, passage.label));
      return cite;
    });
  }

  #candidate({ parts, score, onQuestion, onSources }: Candidate, passages: readonly Passage[]): HTMLElement[] {
    const text = this.#text(passages);
    text.show(parts);
    return [text.element, make("p", "hint answer-scores", strings.answerScores(score, onQuestion, onSources))];
  }

  #settle(): void {
    this.#box.removeAttribute("aria-busy");
    this.#coming = [];
  }
}
