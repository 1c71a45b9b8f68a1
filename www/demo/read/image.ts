// A picture -> one page with the text that is read from it (ocr.ts). Its size is read from its first bytes, so that a small file that
// would unfold to gigabytes is refused before the browser decodes it.
import { FileProblem, type Reading, type Source } from "../pages.js";
import { strings } from "../strings.js";
import { drawn, imagePicture } from "./image-picture.js";
import { imageSize } from "./image-size.js";
import { recognise } from "./ocr.js";

const MOST_PIXELS = 50e6;
/** More does not help to read, it only takes longer. */
const READ_PIXELS = 6e6;

/** Rejects with FileProblem, or with the reason of the signal. */
export async function imageSource(file: File, reading: Reading): Promise<Source> {
  const size = imageSize(new DataView(await file.slice(0, 1 << 18).arrayBuffer()));
  if (!size) throw new FileProblem(strings.fileBrokenImage);
  if (size.width * size.height > MOST_PIXELS) throw new FileProblem(strings.fileManyPixels(size.width, size.height, MOST_PIXELS));
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new FileProblem(strings.fileBrokenImage);
  }
  const { width, height } = bitmap;
  const scale = Math.min(1, Math.sqrt(READ_PIXELS / (width * height)));
  const small = await drawn(bitmap, scale);
  bitmap.close();
  reading.signal.throwIfAborted();
  const drawnSize = { width: width * scale, height: height * scale };
  const { text, words } = await recognise({ file: small, ...drawnSize }, reading);
  if (!/[\p{L}\p{N}]/u.test(text)) throw new FileProblem(strings.fileNoWords);
  const pictures = { of: "image", original: small, words, ...drawnSize } as const;
  return { name: file.name, kind: "image", pictures, pages: [{ file: file.name, label: strings.picture, text, picture: imagePicture(pictures) }] };
}
