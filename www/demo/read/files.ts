// A file, by its kind, -> a source of pages. What cannot be read is a FileProblem that says why. The readers of PDF, DOCX and
// pictures are large and come over the network only when the first such file does.
import { FileProblem, type Kind, type Reading, type Source } from "../pages.js";
import { strings } from "../strings.js";
import { htmlBlocks } from "./html.js";
import { markdownBlocks, textBlocks, toPages } from "./split.js";

const KINDS: Record<string, Kind> = {
  pdf: "pdf", html: "html", htm: "html", xhtml: "html", md: "markdown", markdown: "markdown", txt: "text", text: "text", docx: "docx",
  png: "image", jpg: "image", jpeg: "image", webp: "image", gif: "image", bmp: "image",
};

/** For the file picker. */
export const ACCEPTED = Object.keys(KINDS).map((ending) => `.${ending}`).join(",");

const MEGA = 1 << 20;
/** Larger files would be more than a tab can hold. */
const MOST_BYTES: Record<Kind, number> = {
  pdf: 300 * MEGA, image: 60 * MEGA, docx: 60 * MEGA, html: 20 * MEGA, markdown: 20 * MEGA, text: 20 * MEGA,
};

function kindOf({ name, type }: File): Kind | undefined {
  const byName = KINDS[/\.([^.]+)$/u.exec(name)?.[1]?.toLowerCase() ?? ""];
  if (byName) return byName;
  if (type === "application/pdf") return "pdf";
  if (type === "text/html") return "html";
  if (/^image\/(png|jpeg|webp|gif|bmp)$/u.test(type)) return "image";
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

export function textSource(name: string, text: string, kind: "markdown" | "html" | "text" | "docx" = "markdown"): Source {
  const blocks = kind === "html" || kind === "docx" ? htmlBlocks(text) : kind === "markdown" ? markdownBlocks(text) : textBlocks(text);
  const pages = toPages(blocks, name);
  if (pages.length === 0) throw new FileProblem(strings.fileEmpty);
  return { name, kind, pages };
}

async function bytesOf(file: File): Promise<ArrayBuffer> {
  try {
    return await file.arrayBuffer();
  } catch {
    throw new FileProblem(strings.fileUnreadable);
  }
}

/** Reads one file. Rejects with FileProblem, or with the reason of the signal. */
export async function readFile(file: File, reading: Reading): Promise<Source> {
  const kind = kindOf(file);
  if (!kind) throw new FileProblem(strings.fileType);
  if (file.size === 0) throw new FileProblem(strings.fileEmpty);
  if (file.size > MOST_BYTES[kind]) throw new FileProblem(strings.fileTooLarge(MOST_BYTES[kind]));
  reading.onProgress(strings.opening);
  switch (kind) {
    case "pdf": {
      const { pdfSource } = await import("./pdf.js");
      return pdfSource(file, reading);
    }
    case "image": {
      const { imageSource } = await import("./image.js");
      return imageSource(file, reading);
    }
    case "docx": {
      const { docxHtml } = await import("./docx.js");
      return textSource(file.name, await docxHtml(await bytesOf(file)), kind);
    }
    case "html": {
      const { articleHtml } = await import("./article.js");
      return textSource(file.name, articleHtml(decode(await bytesOf(file))), kind);
    }
    default:
      return textSource(file.name, decode(await bytesOf(file)), kind);
  }
}
