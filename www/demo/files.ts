// A file, by its kind, -> a source of pages. What cannot be read is a FileProblem that says why.
import { htmlBlocks } from "./html.js";
import { FileProblem, type Page, type Source } from "./pages.js";
import { markdownBlocks, textBlocks, toPages } from "./split.js";
import { strings } from "./strings.js";

type Kind = "pdf" | "html" | "markdown" | "text";

const KINDS: Record<string, Kind> = {
  pdf: "pdf", html: "html", htm: "html", xhtml: "html", md: "markdown", markdown: "markdown", txt: "text", text: "text",
};

function kindOf({ name, type }: File): Kind | undefined {
  const byName = KINDS[/\.([^.]+)$/u.exec(name)?.[1]?.toLowerCase() ?? ""];
  if (byName) return byName;
  if (type === "application/pdf") return "pdf";
  if (type === "text/html") return "html";
  return type.startsWith("text/") ? "text" : undefined;
}

/** UTF-8, or UTF-16 where a byte order mark says so; bytes that no text has are refused. */
function decode(data: ArrayBuffer): string {
  const [a, b] = new Uint8Array(data, 0, Math.min(2, data.byteLength));
  const encoding = a === 0xff && b === 0xfe ? "utf-16le" : a === 0xfe && b === 0xff ? "utf-16be" : "utf-8";
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(data);
  } catch {
    // Old single-byte files: every byte means something there, so look for what text never holds.
    text = new TextDecoder("windows-1252").decode(data);
  }
  if (/[\u0000-\u0008\u000e-\u001a]/u.test(text.slice(0, 4096))) throw new FileProblem(strings.fileBinary);
  return text;
}

export function textSource(name: string, text: string, kind: "markdown" | "html" | "text" = "markdown"): Source {
  const blocks = kind === "html" ? htmlBlocks(text) : kind === "markdown" ? markdownBlocks(text) : textBlocks(text);
  const pages = toPages(blocks, name);
  if (pages.length === 0) throw new FileProblem(strings.fileEmpty);
  return { name, pages };
}

async function pdfSource(name: string, data: ArrayBuffer): Promise<Source> {
  const { pdfTexts } = await import("./pdf.js");
  const texts = await pdfTexts(data);
  const pages = texts.flatMap((text, place): Page[] => (text ? [{ file: name, label: strings.page(place + 1), text }] : []));
  if (pages.length === 0) throw new FileProblem(strings.fileScanned);
  const empty = texts.length - pages.length;
  return { name, pages, ...(empty > 0 ? { note: strings.somePagesEmpty(name, empty) } : {}) };
}

/** Reads one file. Rejects with FileProblem. */
export async function readFile(file: File): Promise<Source> {
  const kind = kindOf(file);
  if (!kind) throw new FileProblem(strings.fileType);
  let data: ArrayBuffer;
  try {
    data = await file.arrayBuffer();
  } catch {
    throw new FileProblem(strings.fileUnreadable);
  }
  if (data.byteLength === 0) throw new FileProblem(strings.fileEmpty);
  return kind === "pdf" ? pdfSource(file.name, data) : textSource(file.name, decode(data), kind);
}
