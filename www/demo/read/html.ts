// HTML -> blocks. DOMParser makes an inert document: no script runs, nothing is loaded. Only text is taken out of it.
import type { Block } from "./split.js";

const IGNORED = "script,style,noscript,template,iframe,object,embed,svg,canvas,select,button,nav,[hidden],[aria-hidden=true]";
const HEADINGS = new Set(["H1", "H2", "H3", "H4", "H5", "H6"]);
const BLOCKS = new Set([
  "ADDRESS", "ARTICLE", "ASIDE", "BLOCKQUOTE", "BODY", "DD", "DETAILS", "DIV", "DL", "DT", "FIGCAPTION", "FIGURE", "FOOTER", "FORM", "HEADER",
  "HR", "LI", "MAIN", "OL", "P", "PRE", "SECTION", "SUMMARY", "TABLE", "TBODY", "THEAD", "TFOOT", "TR", "UL", "CAPTION",
]);

export function htmlBlocks(source: string): Block[] {
  const { body } = new DOMParser().parseFromString(source, "text/html");
  for (const element of body.querySelectorAll(IGNORED)) element.remove();
  const blocks: Block[] = [];
  let line = "";
  const flush = (): void => {
    const text = line.replace(/\s+/gu, " ").trim();
    if (text) blocks.push({ text });
    line = "";
  };
  // By hand and not recursively: a hostile page may be nested very deeply.
  const stack: (Node | "end")[] = [body];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (node === "end") flush();
    else if (node.nodeType === Node.TEXT_NODE) line += node.nodeValue ?? "";
    else if (node instanceof Element) {
      if (HEADINGS.has(node.tagName)) {
        flush();
        const heading = (node.textContent ?? "").replace(/\s+/gu, " ").trim();
        if (heading) blocks.push({ heading });
        continue;
      }
      if (node.tagName === "BR" || node.tagName === "TD" || node.tagName === "TH") line += " ";
      if (BLOCKS.has(node.tagName)) {
        flush();
        stack.push("end");
      }
      for (let child = node.lastChild; child; child = child.previousSibling) stack.push(child);
    }
  }
  flush();
  return blocks;
}
