// The words of an answer on the page, while they come and afterwards. What stands there already stays the same nodes, so that a citation
// that has the keyboard keeps it.
import { make } from "../dom.js";
import type { Part } from "./cited.js";

const same = (one: Part | undefined, other: Part | undefined): boolean => one !== undefined && other !== undefined
  && ("text" in one ? "text" in other && one.text === other.text : "cites" in other && one.cites === other.cites);

export class AnswerText {
  readonly element = make("p", "answer-text");
  readonly #cite: (number: number) => HTMLElement;
  #parts: readonly Part[] = [];

  /** `cite` makes what stands for a citation. */
  constructor(cite: (number: number) => HTMLElement) {
    this.#cite = cite;
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  show(parts: readonly Part[]): void {
    // One node for each part.
    const nodes = [...this.element.childNodes];
    let kept = 0;
    while (same(this.#parts[kept], parts[kept])) kept += 1;
    const [node, part] = [nodes[kept], parts[kept]];
    if (node instanceof Text && part && "text" in part) {
      node.data = part.text;
      kept += 1;
    }
    for (const old of nodes.slice(kept)) old.remove();
    this.element.append(...parts.slice(kept).map((one) => ("text" in one ? one.text : this.#cite(one.cites))));
    this.#parts = parts;
  }
}
