// One page in front of the view, with a passage marked on its picture or in its text: where citations and passages lead.
import { byId, make } from "./dom.js";
import type { Page, Span } from "./pages.js";
import { markedText } from "./rerank/marked.js";
import { Sheet } from "./rerank/sheet.js";

/** What is shown of a long page on either side of the passage. */
const AROUND = 10_000;

export class PageDialog {
  readonly #dialog = byId<HTMLDialogElement>("page-dialog");
  readonly #sheet = byId("dialog-sheet");
  readonly #looks = byId("dialog-looks");
  readonly #picture = new Sheet(this.#sheet);
  #shown: { page: Page; span: Span } | undefined;

  constructor() {
    byId("dialog-close").addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("close", () => this.#picture.clear());
    // A click beside the sheet of paper.
    this.#dialog.addEventListener("click", (event) => { if (event.target === this.#dialog) this.#dialog.close(); });
    this.#looks.addEventListener("change", () => this.#fill());
  }

  open(page: Page, span: Span): void {
    this.#shown = { page, span };
    byId("dialog-label").textContent = `${page.label} · ${page.file}`;
    this.#looks.hidden = !page.picture;
    this.#dialog.showModal();
    this.#fill();
  }

  #fill(): void {
    if (!this.#shown) return;
    const { page, span } = this.#shown;
    const picture = this.#looks.querySelector<HTMLInputElement>("input:checked")?.value === "picture";
    this.#sheet.scrollTop = 0;
    if (page.picture && picture) {
      this.#picture.show(page.picture, page.label, span);
      return;
    }
    this.#picture.clear();
    const from = Math.max(0, span.start - AROUND);
    const text = page.text.slice(from, span.end + AROUND);
    const { nodes, mark } = markedText(text, 0, { start: span.start - from, end: span.end - from });
    this.#sheet.replaceChildren(make("div", "column", ...nodes));
    if (mark) this.#sheet.scrollTop = mark.offsetTop - this.#sheet.clientHeight / 3;
  }
}
