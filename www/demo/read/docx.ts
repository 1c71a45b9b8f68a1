// DOCX -> HTML of its text, by mammoth. Pictures are left out. A DOCX is a zip archive: one that would unfold to far more than a
// document ever is is refused before it is unfolded.
import mammoth from "mammoth/mammoth.browser.min.js";
import { FileProblem } from "../pages.js";
import { strings } from "../strings.js";

const MOST_UNFOLDED = 400 << 20;
const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
/** The record at the end of an archive, and the longest comment after it. */
const END_BYTES = 22;
const COMMENT_BYTES = 0xffff;

/** The size of all files of a zip archive together as its directory says, or undefined where there is none. */
export function unfoldedBytes(data: ArrayBuffer): number | undefined {
  const view = new DataView(data);
  let end = view.byteLength - END_BYTES;
  const least = Math.max(0, end - COMMENT_BYTES);
  while (end >= least && view.getUint32(end, true) !== END_OF_DIRECTORY) end -= 1;
  if (end < least) return undefined;
  const count = view.getUint16(end + 10, true);
  let place = view.getUint32(end + 16, true);
  let sum = 0;
  for (let entry = 0; entry < count; entry += 1) {
    if (place + 46 > view.byteLength || view.getUint32(place, true) !== DIRECTORY_ENTRY) return undefined;
    sum += view.getUint32(place + 24, true);
    place += 46 + view.getUint16(place + 28, true) + view.getUint16(place + 30, true) + view.getUint16(place + 32, true);
  }
  return sum;
}

/** Rejects with FileProblem. */
export async function docxHtml(data: ArrayBuffer): Promise<string> {
  // A locked document is an older kind of container, not an archive.
  if (new DataView(data).byteLength > 8 && new DataView(data).getUint32(0) === 0xd0cf11e0) throw new FileProblem(strings.fileLocked);
  const unfolded = data.byteLength >= END_BYTES ? unfoldedBytes(data) : undefined;
  if (unfolded === undefined) throw new FileProblem(strings.fileBrokenDocx);
  if (unfolded > MOST_UNFOLDED) throw new FileProblem(strings.fileBomb(MOST_UNFOLDED));
  try {
    const { value } = await mammoth.convertToHtml({ arrayBuffer: data }, {
      convertImage: mammoth.images.imgElement(() => Promise.resolve({ src: "" })),
    });
    return value;
  } catch {
    throw new FileProblem(strings.fileBrokenDocx);
  }
}
