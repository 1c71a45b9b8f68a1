// The picture of a page that is a picture itself, with the places of its words.
import { FileProblem, type Picture, type Span } from "../pages.js";
import { strings } from "../strings.js";
import { covered } from "./lines.js";

/** A word in the text and on the picture, in pixels. */
export interface Word extends Span {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface ImageWithWords {
  original: Blob;
  words: readonly Word[];
  /** Pixels. */
  width: number;
  height: number;
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

export function imagePicture({ original, words, width, height }: ImageWithWords): Picture {
  return {
    ratio: height / width,
    draw: async (wanted) => {
      const decoded = await createImageBitmap(original);
      const blob = await drawn(decoded, Math.min(1, wanted / decoded.width));
      decoded.close();
      return blob;
    },
    boxes: (span) => Promise.resolve(words.flatMap(({ left, top, right, bottom, ...own }) => (covered(own, span)
      ? [{ x: left / width, y: top / height, width: (right - left) / width, height: (bottom - top) / height }]
      : []))),
  };
}
