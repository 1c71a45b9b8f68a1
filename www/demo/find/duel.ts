// Two rankings of the same passages side by side, with a line from each passage's place in the one to its place in the other.
import { make, makeButton } from "../dom.js";
import { scoreText } from "../rerank/list.js";
import { strings } from "../strings.js";
import type { Passage } from "./passages.js";

export interface Ranking {
  heading: string;
  /** What it cost, or how it came about. */
  note: string;
  /** `share` is the length of the bar, 0..1; without it there is none. */
  rows: readonly { passage: Passage; score: number; share?: number }[];
}

const SVG = "http://www.w3.org/2000/svg";
/** Both lists have rows of one height, so that the lines need no measuring; the style sheet knows it too. */
const ROW = 64;
const WIDTH = 48;

function column({ heading, note, rows }: Ranking, other: Ranking, onOpen: (passage: Passage) => void, hover: (id: string | undefined) => void): HTMLElement {
  const places = new Map(other.rows.map(({ passage }, place) => [passage.id, place + 1]));
  const list = make("ol", "duel-list");
  list.setAttribute("role", "list");
  list.append(...rows.map(({ passage, score, share }, place) => {
    const before = places.get(passage.id);
    const change = make("span", "duel-change", strings.rankChange(before, place + 1));
    change.dataset["way"] = before === undefined || before === place + 1 ? "same" : before > place + 1 ? "up" : "down";
    const head = make("span", "duel-head", make("span", "rank", make("span", "visually-hidden", `${strings.rank} `), String(place + 1)),
      make("span", "duel-label", passage.label), change, make("span", "score", make("span", "visually-hidden", `${strings.score} `), scoreText(score)));
    const button = makeButton("duel-row", head, () => onOpen(passage));
    button.append(make("span", "duel-text", passage.text.slice(0, 160)));
    if (share !== undefined) {
      const fill = make("span", "bar-fill");
      fill.style.setProperty("--share", String(Math.min(1, Math.max(0, share))));
      const bar = make("span", "bar", fill);
      bar.setAttribute("aria-hidden", "true");
      button.append(bar);
    }
    button.dataset["passage"] = passage.id;
    for (const name of ["mouseenter", "focus"]) button.addEventListener(name, () => hover(passage.id));
    for (const name of ["mouseleave", "blur"]) button.addEventListener(name, () => hover(undefined));
    return make("li", "", button);
  }));
  const head = make("div", "duel-title", make("h3", "", heading), make("p", "hint", note));
  return make("section", "duel-side", head, list);
}

function lines(left: Ranking, right: Ranking): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const height = ROW * Math.max(left.rows.length, right.rows.length);
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
  svg.setAttribute("class", "duel-lines");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("height", String(height));
  const places = new Map(right.rows.map(({ passage }, place) => [passage.id, place]));
  for (const [place, { passage }] of left.rows.entries()) {
    const to = places.get(passage.id);
    if (to === undefined) continue;
    const [from, end] = [(place + 0.5) * ROW, (to + 0.5) * ROW];
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", `M0 ${from} C${WIDTH / 2} ${from} ${WIDTH / 2} ${end} ${WIDTH} ${end}`);
    path.setAttribute("class", to < place ? "up" : to > place ? "down" : "same");
    path.dataset["passage"] = passage.id;
    svg.append(path);
  }
  return svg;
}

/** Fills `box`. */
export function showDuel(box: HTMLElement, left: Ranking, right: Ranking, onOpen: (passage: Passage) => void): void {
  const hover = (id: string | undefined): void => {
    for (const element of box.querySelectorAll<HTMLElement | SVGElement>("[data-passage]")) {
      element.classList.toggle("lit", id !== undefined && element.dataset["passage"] === id);
    }
  };
  box.classList.add("duel");
  box.replaceChildren(column(left, right, onOpen, hover), lines(left, right), column(right, left, onOpen, hover));
}
