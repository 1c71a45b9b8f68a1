// Writes small PDF files for the tests: pages of text in Helvetica, optionally with an encryption dictionary that no password opens,
// optionally with a picture of black and white pixels on the first page.

import { pdfFile } from "../../www/sample-pdf.mjs";

const escape = (text) => text.replace(/[\\()]/g, "\\$&");

/**
 * `pages` is an array of arrays of lines. An empty array gives a page without text. `image` is `{ side, data }`: pixels, and what they are
 * deflated.
 */
export function makePdf(pages, { locked = false, image } = {}) {
  const objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"];
  const kids = [];
  let picture = "";
  if (image) {
    objects.push(`<< /Type /XObject /Subtype /Image /Width ${image.side} /Height ${image.side} /BitsPerComponent 1 /ColorSpace /DeviceGray /Filter /FlateDecode /Length ${image.data.length} >>\nstream\n${image.data.toString("latin1")}\nendstream`);
    picture = `/XObject << /Im1 ${objects.length} 0 R >>`;
  }
  for (const lines of pages) {
    const shown = picture && kids.length === 0;
    const content = `${shown ? "q 300 0 0 300 72 72 cm /Im1 Do Q " : ""}BT /F1 12 Tf 72 720 Td 14 TL ${lines.map((line) => `(${escape(line)}) Tj T*`).join(" ")} ET`;
    objects.push(`<< /Length ${content.length} >>\nstream\n${content}\nendstream`);
    objects.push(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${objects.length} 0 R /Resources << /Font << /F1 3 0 R >> ${shown ? picture : ""} >> >>`);
    kids.push(`${objects.length} 0 R`);
  }
  objects[1] = `<< /Type /Pages /Kids [${kids.join(" ")}] /Count ${kids.length} >>`;
  if (locked) objects.push(`<< /Filter /Standard /V 1 /R 2 /O <${"4f".repeat(32)}> /U <${"55".repeat(32)}> /P -4 >>`);
  return pdfFile(objects, locked ? `/Encrypt ${objects.length} 0 R /ID [<00> <00>] ` : "");
}
