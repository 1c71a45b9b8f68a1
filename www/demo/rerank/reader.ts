// The page being read, with its best passage marked, as text or as its picture. Turning pages follows the document, not the ranking.
import { byId, make } from "../dom.js";
import { bodyStart, isWhole, type Page, type Span } from "../pages.js";
import { strings } from "../strings.js";
import { markedText } from "./marked.js";
import { Sheet } from "./sheet.js";

/** Longer pages are shown up to here, and the rest when it is asked for: laying out a megabyte takes seconds. */
const AT_ONCE = 20_000;

export class Reader {
  readonly #reader = byId("reader");
  readonly #sheet = byId("sheet");
  readonly #label = byId("reader-label");
  readonly #panes = byId("panes");
  readonly #looks = byId("looks");
  readonly #picture = new Sheet(this.#sheet);
  #pages: readonly Page[] = [];
  #current = -1;
  #spans = new Map<Page, Span>();
  #look: "text" | "picture" = "text";
  /** Called when the reader turns to another page by itself. */
  onTurn: (page: Page) => void = () => undefined;

  constructor(onBack: () => void) {
    byId("previous").addEventListener("click", () => this.#turn(-1));
    byId("next").addEventListener("click", () => this.#turn(1));
    byId("back").addEventListener("click", () => {
      delete this.#panes.dataset["open"];
      onBack();
    });
    this.#looks.addEventListener("change", (event) => {
      this.#look = (event.target as HTMLInputElement).value === "picture" ? "picture" : "text";
      const page = this.#pages[this.#current];
      if (page) this.#fill(page);
    });
  }

  setPages(pages: readonly Page[]): void {
    this.#pages = pages;
    this.#spans = new Map();
    const [first] = pages;
    if (first) this.show(first, false);
    else {
      this.#label.textContent = strings.readerHeading;
      this.#looks.hidden = true;
      this.#sheet.replaceChildren(make("p", "empty", strings.readerEmpty));
    }
  }

  setSpans(spans: Map<Page, Span>): void {
    this.#spans = spans;
  }

  /** `byUser`: on a phone the reader then covers the list. */
  show(page: Page, byUser: boolean): void {
    this.#current = this.#pages.indexOf(page);
    this.#label.textContent = page.label;
    byId<HTMLButtonElement>("previous").disabled = this.#current <= 0;
    byId<HTMLButtonElement>("next").disabled = this.#current >= this.#pages.length - 1;
    if (byUser) this.#panes.dataset["open"] = "";
    else delete this.#panes.dataset["open"];
    const mark = this.#fill(page);
    // Where the list is hidden now, the keyboard and the view must follow; where it is not, both stay in it.
    const covered = byUser && byId("results").offsetParent === null;
    if (covered) this.#reader.focus({ preventScroll: true });
    if (mark && this.#sheet.scrollHeight > this.#sheet.clientHeight) this.#sheet.scrollTop = mark.offsetTop - this.#sheet.clientHeight / 3;
    else if (covered && mark) mark.scrollIntoView({ block: "center" });
    else if (covered) this.#reader.scrollIntoView({ block: "start" });
  }

  /** Shows the page in the chosen look. Returns what marks its best passage, where that is only a part of it. */
  #fill(page: Page): HTMLElement | undefined {
    const span = this.#spans.get(page);
    this.#looks.hidden = !page.picture;
    this.#sheet.scrollTop = 0;
    // A passage that is the whole page gets a rule at its side: marking every word would mark none.
    const whole = span !== undefined && isWhole(page, span);
    if (page.picture && this.#look === "picture") {
      this.#sheet.classList.remove("whole");
      this.#picture.show(page.picture, page.label, whole ? undefined : span);
      return undefined;
    }
    this.#picture.clear();
    this.#sheet.classList.toggle("whole", whole);
    const mark = this.#fillText(page, span, Math.max(AT_ONCE, span?.end ?? 0));
    return whole ? undefined : mark;
  }

  #fillText(page: Page, span: Span | undefined, most: number): HTMLElement | undefined {
    // The heading stands above the sheet already.
    const { nodes, mark } = markedText(page.text.slice(0, most), bodyStart(page), span);
    const column = make("div", "column", make("p", "file", page.file), ...nodes);
    if (page.text.length > most) {
      const rest = make("button", "button", strings.showRest(page.text.length - most));
      rest.type = "button";
      rest.addEventListener("click", () => void this.#fillText(page, span, Infinity));
      column.append(rest);
    }
    this.#sheet.replaceChildren(column);
    return mark;
  }

  #turn(by: number): void {
    const page = this.#pages[this.#current + by];
    if (!page) return;
    this.show(page, true);
    this.onTurn(page);
  }
}
