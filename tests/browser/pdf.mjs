// Writes small PDF files for the tests: pages of text in Helvetica, optionally with an encryption dictionary that no password opens,
// optionally with pictures on them.

import { pdfFile } from "../../www/sample-pdf.mjs";

const escape = (text) => text.replace(/[\\()]/g, "\\$&");

const FORMATS = {
  jpeg: "/BitsPerComponent 8 /ColorSpace /DeviceRGB /Filter /DCTDecode",
  /** Black and white pixels, deflated. */
  bits: "/BitsPerComponent 1 /ColorSpace /DeviceGray /Filter /FlateDecode",
};
const [PAGE_WIDTH, PAGE_HEIGHT] = [612, 792];

/**
 * `pages` is an array of arrays of lines. An empty array gives a page without text. `pictures` are `{ on, width, height, jpeg }` or, with
 * the `bits` of FORMATS, `{ on, width, height, bits }`: on which page (from 0), pixels, and the data. They are as wide as the page and at
 * its top, under the text.
 */
export function makePdf(pages, { locked = false, pictures = [] } = {}) {
  const objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"];
  const kids = [];
  const drawn = new Map(pictures.map((picture) => {
    const { on, width, height } = picture;
    const [format, data] = "jpeg" in picture ? [FORMATS.jpeg, picture.jpeg] : [FORMATS.bits, picture.bits];
    objects.push(`<< /Type /XObject /Subtype /Image /Width ${width} /Height ${height} ${format} /Length ${data.length} >>\nstream\n${data.toString("latin1")}\nendstream`);
    const high = (PAGE_WIDTH * height) / width;
    return [on, { content: `q ${PAGE_WIDTH} 0 0 ${high} 0 ${PAGE_HEIGHT - high} cm /Im1 Do Q `, resource: `/XObject << /Im1 ${objects.length} 0 R >>` }];
  }));
  for (const [place, lines] of pages.entries()) {
    const picture = drawn.get(place);
    const content = `${picture?.content ?? ""}BT /F1 12 Tf 72 720 Td 14 TL ${lines.map((line) => `(${escape(line)}) Tj T*`).join(" ")} ET`;
    objects.push(`<< /Length ${content.length} >>\nstream\n${content}\nendstream`);
    objects.push(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${PAGE_WIDTH} ${PAGE_HEIGHT}] /Contents ${objects.length} 0 R /Resources << /Font << /F1 3 0 R >> ${picture?.resource ?? ""} >> >>`);
    kids.push(`${objects.length} 0 R`);
  }
  objects[1] = `<< /Type /Pages /Kids [${kids.join(" ")}] /Count ${kids.length} >>`;
  if (locked) objects.push(`<< /Filter /Standard /V 1 /R 2 /O <${"4f".repeat(32)}> /U <${"55".repeat(32)}> /P -4 >>`);
  return pdfFile(objects, locked ? `/Encrypt ${objects.length} 0 R /ID [<00> <00>] ` : "");
}
