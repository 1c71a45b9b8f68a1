// The picture of a page with a passage highlighted on it. Drawn when it is shown; what comes too late is thrown away.
import { make } from "../dom.js";
import type { Box, Picture, Span } from "../pages.js";
import { strings } from "../strings.js";

/** Boxes that stand side by side in a line become one, so that a line is marked like a line. */
export function mergeLines(boxes: readonly Box[]): Box[] {
  const lines: Box[] = [];
  for (const box of boxes) {
    const last = lines.at(-1);
    const middle = box.y + box.height / 2;
    if (last && middle > last.y && middle < last.y + last.height && box.x >= last.x && box.x - (last.x + last.width) < box.height * 2) {
      const [top, bottom] = [Math.min(last.y, box.y), Math.max(last.y + last.height, box.y + box.height)];
      Object.assign(last, { y: top, height: bottom - top, width: Math.max(last.width, box.x + box.width - last.x) });
    } else lines.push({ ...box });
  }
  return lines;
}

export class Sheet {
  readonly #sheet: HTMLElement;
  #address: string | undefined;
  #turn = 0;

  constructor(sheet: HTMLElement) {
    this.#sheet = sheet;
  }

  show(picture: Picture, label: string, span: Span | undefined): void {
    this.clear();
    const turn = this.#turn;
    const frame = make("div", "picture");
    frame.style.aspectRatio = String(1 / picture.ratio);
    this.#sheet.replaceChildren(frame);
    void this.#draw(frame, picture, label, turn).catch(() => {
      if (turn === this.#turn) frame.replaceChildren(make("p", "empty", strings.pictureFailed));
    });
    if (span) void this.#highlight(frame, picture, span, turn).catch(() => undefined);
  }

  clear(): void {
    this.#turn += 1;
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = undefined;
  }

  async #draw(frame: HTMLElement, picture: Picture, label: string, turn: number): Promise<void> {
    const width = Math.max(320, frame.clientWidth) * Math.min(2, devicePixelRatio);
    const blob = await picture.draw(width);
    if (turn !== this.#turn) return;
    this.#address = URL.createObjectURL(blob);
    const image = make("img");
    image.alt = strings.pictureOf(label);
    image.src = this.#address;
    frame.prepend(image);
  }

  async #highlight(frame: HTMLElement, picture: Picture, span: Span, turn: number): Promise<void> {
    const boxes = mergeLines(await picture.boxes(span));
    if (turn !== this.#turn) return;
    for (const { x, y, width, height } of boxes) {
      const box = make("span", "highlight");
      for (const [name, share] of [["left", x], ["top", y], ["width", width], ["height", height]] as const) box.style[name] = `${share * 100}%`;
      frame.append(box);
    }
    const first = boxes[0];
    if (first && this.#sheet.scrollHeight > this.#sheet.clientHeight) {
      this.#sheet.scrollTop = first.y * frame.clientHeight - this.#sheet.clientHeight / 3;
    }
  }
}
