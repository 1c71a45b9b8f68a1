// The page being read, with its best passage marked. Turning pages follows the document, not the ranking.
import { byId, make } from "./dom.js";
import { bodyStart, isWhole, type Page } from "./pages.js";
import { strings } from "./strings.js";

export interface Span {
  start: number;
  end: number;
}

/** The paragraphs of `text` from `offset` on, the passage marked in each that it touches; `mark` is the first of them. */
function marked(text: string, offset: number, span: Span | undefined): { nodes: Node[]; mark?: HTMLElement } {
  const nodes: Node[] = [];
  let mark: HTMLElement | undefined;
  for (const [piece] of text.slice(offset).matchAll(/[\s\S]*?(?:\n\s*\n|$)/gu)) {
    if (piece === "") continue;
    const length = piece.trimEnd().length;
    const from = Math.min(Math.max((span?.start ?? 0) - offset, 0), length);
    const to = Math.min(Math.max((span?.end ?? 0) - offset, 0), length);
    const paragraph = make("p");
    if (from > 0) paragraph.append(piece.slice(0, from));
    if (to > from) {
      const part = make("mark", "", piece.slice(from, to));
      mark ??= part;
      paragraph.append(part);
    }
    paragraph.append(piece.slice(Math.max(from, to), length));
    if (paragraph.textContent?.trim()) nodes.push(paragraph);
    offset += piece.length;
  }
  return mark ? { nodes, mark } : { nodes };
}

export class Reader {
  readonly #reader = byId("reader");
  readonly #sheet = byId("sheet");
  readonly #label = byId("reader-label");
  readonly #panes = byId("panes");
  #pages: readonly Page[] = [];
  #current = -1;
  #spans = new Map<Page, Span>();
  /** Called when the reader turns to another page by itself. */
  onTurn: (page: Page) => void = () => undefined;

  constructor(onBack: () => void) {
    byId("previous").addEventListener("click", () => this.#turn(-1));
    byId("next").addEventListener("click", () => this.#turn(1));
    byId("back").addEventListener("click", () => {
      delete this.#panes.dataset["open"];
      onBack();
    });
  }

  setPages(pages: readonly Page[]): void {
    this.#pages = pages;
    this.#spans = new Map();
    const [first] = pages;
    if (first) this.show(first, false);
    else {
      this.#label.textContent = strings.readerHeading;
      this.#sheet.replaceChildren(make("p", "empty", strings.readerEmpty));
    }
  }

  setSpans(spans: Map<Page, Span>): void {
    this.#spans = spans;
  }

  /** `byUser`: on a phone the reader then covers the list. */
  show(page: Page, byUser: boolean): void {
    this.#current = this.#pages.indexOf(page);
    const span = this.#spans.get(page);
    // The heading stands above the sheet already.
    const body = bodyStart(page);
    const { nodes, mark } = marked(page.text, body, span);
    // A passage that is the whole page gets a rule at its side: marking every word would mark none.
    const whole = span !== undefined && isWhole(page, span);
    this.#sheet.classList.toggle("whole", whole);
    this.#label.textContent = page.label;
    this.#sheet.replaceChildren(make("div", "column", make("p", "file", page.file), ...nodes));
    this.#sheet.scrollTop = 0;
    byId<HTMLButtonElement>("previous").disabled = this.#current <= 0;
    byId<HTMLButtonElement>("next").disabled = this.#current >= this.#pages.length - 1;
    if (byUser) this.#panes.dataset["open"] = "";
    else delete this.#panes.dataset["open"];
    // Where the list is hidden now, the keyboard and the view must follow; where it is not, both stay in it.
    const covered = byUser && byId("results").offsetParent === null;
    if (covered) this.#reader.focus({ preventScroll: true });
    if (mark && !whole && this.#sheet.scrollHeight > this.#sheet.clientHeight) this.#sheet.scrollTop = mark.offsetTop - this.#sheet.clientHeight / 3;
    else if (covered && mark && !whole) mark.scrollIntoView({ block: "center" });
    else if (covered) this.#reader.scrollIntoView({ block: "start" });
  }

  #turn(by: number): void {
    const page = this.#pages[this.#current + by];
    if (!page) return;
    this.show(page, true);
    this.onTurn(page);
  }
}
