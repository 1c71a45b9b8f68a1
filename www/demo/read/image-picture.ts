// The picture of a page that is a picture itself, and where words that were read from a picture stand on it.
import { FileProblem, type Box, type Picture, type Span } from "../pages.js";
import { strings } from "../strings.js";
import { covered } from "./lines.js";

/** A word in the text and on the picture, in pixels. */
export interface Word extends Span {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface PlacedWords {
  words: readonly Word[];
  /** Of the picture that they were read from, in pixels. */
  width: number;
  height: number;
}

export interface ImageWithWords extends PlacedWords {
  original: Blob;
}

export async function drawn(bitmap: ImageBitmap, scale: number): Promise<Blob> {
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale)));
  const context = canvas.getContext("2d");
  if (!context) throw new FileProblem(strings.fileUnreadable);
  // Text on a transparent ground is meant to stand on paper.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/png" });
}

/** Where the words of a part of the text stand. */
export function wordBoxes({ words, width, height }: PlacedWords, span: Span): Box[] {
  return words.flatMap(({ left, top, right, bottom, ...own }) => (covered(own, span)
    ? [{ x: left / width, y: top / height, width: (right - left) / width, height: (bottom - top) / height }]
    : []));
}

export function imagePicture(image: ImageWithWords): Picture {
  const { original } = image;
  return {
    ratio: image.height / image.width,
    draw: async (wanted) => {
      const decoded = await createImageBitmap(original);
      const blob = await drawn(decoded, Math.min(1, wanted / decoded.width));
      decoded.close();
      return blob;
    },
    boxes: (span) => Promise.resolve(wordBoxes(image, span)),
  };
}
