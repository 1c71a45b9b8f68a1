// Which view is shown: the one that the address names after #. Each view is a <section data-view> and has a link in the navigation.
import { all } from "./dom.js";

/** A hash may be followed by words for the view itself, as in #ask?q=bridge. */
const named = (): string => location.hash.slice(1).split("?")[0] ?? "";

export function startRouter(onShow: (view: string) => void): void {
  const sections = all("[data-view]");
  const links = all<HTMLAnchorElement>(".views a");
  const show = (): void => {
    const wanted = sections.find(({ dataset }) => dataset["view"] === named()) ?? sections[0];
    const view = wanted?.dataset["view"] ?? "";
    for (const section of sections) section.hidden = section !== wanted;
    for (const link of links) {
      if (link.hash === `#${view}`) {
        link.setAttribute("aria-current", "page");
        // On a phone the navigation is wider than the screen. Not scrollIntoView: it would move the page, too.
        const { parentElement: bar, offsetLeft, offsetWidth } = link;
        if (bar) bar.scrollLeft = offsetLeft - (bar.clientWidth - offsetWidth) / 2 - bar.offsetLeft;
      } else link.removeAttribute("aria-current");
    }
    document.body.dataset["showing"] = view;
    onShow(view);
  };
  addEventListener("hashchange", () => {
    show();
    // A link in the navigation keeps the keyboard where it is; the view starts at its top.
    scrollTo(0, 0);
  });
  show();
}
