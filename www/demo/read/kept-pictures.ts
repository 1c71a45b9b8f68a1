// What the pictures of a document's pages are drawn from, as it can be kept: the PDF itself, or the picture and its words. Drawing from it
// again loads pdf.js only when a page of a PDF is looked at.
import type { Picture } from "../pages.js";
import { imagePicture, type PlacedWords, type Word } from "./image-picture.js";

export type KeptPictures =
  /** `numbers`: the page of the PDF that each page of the document is. `scans`: the words of those pages that OCR has read. */
  | { of: "pdf"; original: Blob; numbers: number[]; scans?: ReadonlyMap<number, PlacedWords> }
  /** The words and their places on the picture, which is `width` by `height` pixels there. */
  | { of: "image"; original: Blob; words: Word[]; width: number; height: number };

export interface Pictures {
  /** Of the document's page at `place`, from 0. */
  page(place: number, ratio: number): Picture;
  close(): void;
}

export function picturesFrom(kept: KeptPictures): Pictures {
  if (kept.of === "image") return { page: () => imagePicture(kept), close: () => undefined };
  const { original, numbers, scans } = kept;
  let opened: Promise<import("./pdf-picture.js").PdfPictures> | undefined;
  const open = (): NonNullable<typeof opened> => opened ??= import("./pdf-picture.js").then(({ PdfPictures }) => new PdfPictures(original));
  return {
    page: (place, ratio) => {
      const number = numbers[place] ?? place + 1;
      const page = async (): Promise<Picture> => (await open()).page(number, ratio, scans?.get(number));
      return { ratio, draw: async (width) => (await page()).draw(width), boxes: async (span) => (await page()).boxes(span) };
    },
    close: () => void opened?.then((pictures) => pictures.close()),
  };
}
