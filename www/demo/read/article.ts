// HTML -> the part of it that is an article, by Mozilla's Readability, or all of it where no article stands out.
// Works on an inert document: no script runs, nothing is loaded.
import { isProbablyReaderable, Readability } from "@mozilla/readability";

/** An article that keeps less than this share of the words is more likely a mistake than a page full of menus. */
const LEAST_SHARE = 0.3;

const words = (text: string | null | undefined): number => (text ?? "").split(/\s+/u).filter(Boolean).length;

export function articleHtml(source: string): string {
  const page = new DOMParser().parseFromString(source, "text/html");
  if (!isProbablyReaderable(page)) return source;
  const all = words(page.body.textContent);
  let article;
  try {
    article = new Readability(page, { keepClasses: false }).parse();
  } catch {
    // Pages that it cannot take apart are read whole.
    return source;
  }
  if (!article?.content || words(article.textContent) < all * LEAST_SHARE) return source;
  const heading = document.implementation.createHTMLDocument("").createElement("h1");
  heading.textContent = article.title ?? "";
  return `${heading.textContent ? heading.outerHTML : ""}${article.content}`;
}
