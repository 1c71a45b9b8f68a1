// The samples: an invented town's report in the page itself, and a PDF and a picture that are fetched when they are asked for.
// All of them were written for this project and may be used as the project may.
import sampleText from "../samples/ellerwick.md";
import type { Source } from "../pages.js";
import { textSource } from "../read/files.js";
import { strings } from "../strings.js";

export const sampleSource = (): Source => ({ ...textSource(strings.sampleName, sampleText), sample: true, builtIn: true });

export const MORE_SAMPLES = [
  { label: strings.samplePdf, path: "./samples/flood-handbook.pdf", name: "flood-handbook.pdf", type: "application/pdf" },
  { label: strings.samplePicture, path: "./samples/notice.jpg", name: "notice.jpg", type: "image/jpeg" },
] as const;

/** Rejects where it is not to be had, e.g. without a network. */
export async function fetchSample({ path, name, type }: (typeof MORE_SAMPLES)[number]): Promise<File> {
  const response = await fetch(new URL(path, document.baseURI));
  if (!response.ok) throw new Error(strings.sampleMissing(name));
  return new File([await response.blob()], name, { type });
}
