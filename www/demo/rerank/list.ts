// The list of pages: in document order before a ranking, best first after it. A click opens the page in the reader.
import type { RerankerInfo, RerankResponse, RerankResult } from "foliorank";
import { byId, make } from "../dom.js";
import { bodyStart, isWhole, type Page } from "../pages.js";
import { strings } from "../strings.js";

const AT_ONCE = 50;
const SNIPPET = 230;
const CONTEXT = 50;

/** Two or three digits that tell results apart, also near 0 and 1. */
export function scoreText(score: number): string {
  if (score > 0 && score < 0.001) return "<0.001";
  if (score > 0.999 && score < 1) return ">0.999";
  return score.toFixed(3);
}

function clip(text: string, most: number): string {
  const flat = text.replace(/\s+/gu, " ").trim();
  if (flat.length <= most) return flat;
  const cut = flat.slice(0, most);
  // Not in the middle of a word, nor of a surrogate pair.
  return `${cut.slice(0, Math.max(cut.lastIndexOf(" "), most / 2)).replace(/[\s.,;:\ud800-\udbff]+$/u, "")}…`;
}

/** The beginning of the best passage with a little of what stands before it; the beginning of the page where they are the same. */
function snippet(page: Page, passage: RerankResult["passage"]): Node[] {
  const body = bodyStart(page);
  const start = Math.max(passage?.start ?? body, body);
  const text = clip(page.text.slice(start, passage?.end), SNIPPET);
  if (!passage || text === "" || isWhole(page, passage)) {
    return [document.createTextNode(clip(page.text.slice(body), SNIPPET))];
  }
  const before = page.text.slice(Math.max(body, start - CONTEXT), start).replace(/\s+/gu, " ").replace(/^\S*\s/u, "");
  return [document.createTextNode(start > body ? `… ${before}` : ""), make("mark", "", text)];
}

export class List {
  readonly #list = byId<HTMLOListElement>("list");
  readonly #more = byId<HTMLButtonElement>("more");
  readonly #open: (page: Page) => void;
  #rows: (() => HTMLLIElement)[] = [];
  /** With several files a row says which one it is from. */
  #manyFiles = false;
  #buttons = new Map<Page, HTMLButtonElement>();

  constructor(open: (page: Page) => void) {
    this.#open = open;
    this.#more.addEventListener("click", () => this.#showMore()?.focus());
    this.#list.addEventListener("keydown", (event) => this.#move(event));
  }

  /** The pages as the document has them. */
  showPages(pages: readonly Page[]): void {
    byId("results-heading").textContent = strings.pagesHeading;
    byId("facts").textContent = pages.length > 0 ? strings.inOrder(pages.length) : strings.noPages;
    this.#list.classList.remove("ranked");
    this.#manyFiles = new Set(pages.map(({ file }) => file)).size > 1;
    this.#fill(pages.map((page) => () => this.#row(page, snippet(page, undefined))));
  }

  showRanking(response: RerankResponse<Page>, info: RerankerInfo, facts: string): void {
    byId("results-heading").textContent = strings.resultsHeading;
    byId("facts").textContent = facts;
    this.#list.classList.add("ranked");
    this.#fill(response.results.flatMap((result) => {
      const page = result.document;
      return page ? [() => this.#row(page, snippet(page, result.passage), result, info.score)] : [];
    }));
  }

  select(page: Page): void {
    for (const [other, button] of this.#buttons) {
      if (other === page) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  focus(): void {
    this.#list.querySelector<HTMLElement>("[aria-current]")?.focus();
  }

  #fill(rows: (() => HTMLLIElement)[]): void {
    this.#rows = rows;
    this.#buttons = new Map();
    this.#list.replaceChildren();
    this.#showMore();
  }

  #showMore(): HTMLButtonElement | undefined {
    const shown = this.#list.childElementCount;
    this.#list.append(...this.#rows.slice(shown, shown + AT_ONCE).map((row) => row()));
    const left = this.#rows.length - this.#list.childElementCount;
    this.#more.hidden = left <= 0;
    this.#more.textContent = strings.showMore(left);
    return this.#list.children[shown]?.querySelector("button") ?? undefined;
  }

  #row(page: Page, text: Node[], result?: RerankResult<Page>, meaning?: RerankerInfo["score"]): HTMLLIElement {
    const head = make("span", "row-head", make("span", "row-label", page.label));
    if (this.#manyFiles) head.append(make("span", "row-file", page.file));
    const button = make("button", "row", head, make("span", "snippet", ...text));
    button.type = "button";
    if (result) {
      const score = scoreText(result.relevanceScore);
      const rank = make("span", "rank", make("span", "visually-hidden", `${strings.rank} `), String(result.rank));
      const number = make("span", "score", make("span", "visually-hidden", `${strings.score} `), score);
      const fill = make("span", "bar-fill");
      const share = meaning === "cosine" ? (result.relevanceScore + 1) / 2 : result.relevanceScore;
      fill.style.setProperty("--share", String(Math.min(1, Math.max(0, share))));
      const bar = make("span", "bar", fill);
      bar.setAttribute("aria-hidden", "true");
      head.prepend(rank);
      head.append(number);
      head.after(bar);
    }
    button.addEventListener("click", () => this.#open(page));
    this.#buttons.set(page, button);
    return make("li", "", button);
  }

  #move(event: KeyboardEvent): void {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const item = (event.target as HTMLElement).closest("li");
    if (step === 0 || !item) return;
    const next = step > 0 ? item.nextElementSibling : item.previousElementSibling;
    next?.querySelector("button")?.focus();
    event.preventDefault();
  }
}
