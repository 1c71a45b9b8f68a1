// The pages of one document as tiles. A tile with a picture draws it when it comes near the view; one without shows how its text begins.
// Many pages are added a few at a time, so that a long document does not hold up the page.
import { all, make, makeButton } from "../dom.js";
import { bodyStart, type Page } from "../pages.js";
import { strings } from "../strings.js";

const TILE_WIDTH = 132;
const AT_ONCE = 60;
const BEGINNING = 160;
let count = 0;

export class Tiles {
  readonly id: string;
  readonly list = make("ol", "tiles");
  readonly #pages: readonly Page[];
  readonly #onOpen: (page: Page) => void;
  readonly #buttons = new Map<Page, HTMLButtonElement>();
  readonly #addresses: string[] = [];
  readonly #seen: IntersectionObserver;
  #current: Page | undefined;
  #closed = false;

  constructor(pages: readonly Page[], onOpen: (page: Page) => void) {
    count += 1;
    this.id = `document-${count}`;
    this.#pages = pages;
    this.#onOpen = onOpen;
    this.list.setAttribute("role", "list");
    this.#seen = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        this.#seen.unobserve(target);
        const page = [...this.#buttons].find(([, button]) => button === target)?.[0];
        if (page) void this.#draw(page, target as HTMLButtonElement);
      }
    }, { rootMargin: "200px" });
  }

  show(shown: boolean): void {
    this.list.hidden = !shown;
    if (shown && this.list.childElementCount === 0) this.#more();
  }

  /** Marks the page that is looked at, if it is one of these. */
  mark(page: Page | undefined): void {
    this.#current = page;
    for (const button of all("[aria-current]", this.list)) button.removeAttribute("aria-current");
    if (page) this.#buttons.get(page)?.setAttribute("aria-current", "true");
  }

  close(): void {
    this.#closed = true;
    this.#seen.disconnect();
    for (const address of this.#addresses) URL.revokeObjectURL(address);
  }

  #more(): HTMLElement | undefined {
    this.list.querySelector(".tiles-more")?.remove();
    const from = this.list.childElementCount;
    this.list.append(...this.#pages.slice(from, from + AT_ONCE).map((page) => make("li", "", this.#tile(page))));
    const left = this.#pages.length - this.list.childElementCount;
    const first = this.list.children[from]?.querySelector("button") ?? undefined;
    if (left > 0) this.list.append(make("li", "tiles-more", makeButton("button", strings.showMore(left), () => this.#more()?.focus())));
    return first;
  }

  #tile(page: Page): HTMLButtonElement {
    const face = make("span", "tile-face");
    face.setAttribute("aria-hidden", "true");
    const button = makeButton("tile", face, () => this.#onOpen(page));
    button.append(make("span", "tile-label", page.label));
    if (page.picture) {
      face.style.aspectRatio = String(1 / page.picture.ratio);
      this.#seen.observe(button);
    } else face.append(make("span", "tile-text", page.text.slice(bodyStart(page), bodyStart(page) + BEGINNING)));
    if (page === this.#current) button.setAttribute("aria-current", "true");
    this.#buttons.set(page, button);
    return button;
  }

  async #draw(page: Page, button: HTMLButtonElement): Promise<void> {
    try {
      const blob = await page.picture?.draw(TILE_WIDTH * Math.min(2, devicePixelRatio));
      if (!blob || this.#closed) return;
      const address = URL.createObjectURL(blob);
      this.#addresses.push(address);
      const image = make("img");
      image.src = address;
      image.alt = "";
      button.querySelector(".tile-face")?.append(image);
    } catch {
      // The file moved or the document was removed: the tile stays blank, its text is still there.
    }
  }
}
