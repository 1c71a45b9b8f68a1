// Writes the sample PDF from a text: pages are parted by a line "----", a line "# ..." is a heading. Helvetica and Helvetica-Bold, which
// every reader of PDF has, so that nothing is embedded.

const WIDTH = 595;
const HEIGHT = 842;
const MARGIN = 64;
const SIZE = 11.5;
const LEADING = 17;
/** Characters of Helvetica are about half as wide as they are high. */
const LINE = Math.floor((WIDTH - 2 * MARGIN) / (SIZE * 0.5));

const escape = (text) => text.replace(/[\\()]/g, "\\$&");

function wrap(text) {
  const lines = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line && line.length + 1 + word.length > LINE) {
      lines.push(line);
      line = "";
    }
    line += (line && " ") + word;
  }
  return [...lines, line];
}

function content(page) {
  const parts = [];
  let y = HEIGHT - MARGIN - 18;
  const put = (font, size, text) => parts.push(`BT /${font} ${size} Tf ${MARGIN} ${y.toFixed(1)} Td (${escape(text)}) Tj ET`);
  for (const paragraph of page.trim().split(/\n\s*\n/)) {
    const heading = /^# (.*)/.exec(paragraph);
    if (heading) {
      put("F2", 19, heading[1]);
      y -= 14;
      parts.push(`0.04 0.4 0.38 rg ${MARGIN} ${y.toFixed(1)} 56 3 re f 0 g`);
      y -= 30;
      continue;
    }
    for (const line of wrap(paragraph)) {
      put("F1", SIZE, line);
      y -= LEADING;
    }
    y -= LEADING * 0.9;
  }
  if (y < MARGIN) throw new Error("a page of the sample is too long");
  return parts.join("\n");
}

/** The file of these objects, numbered from 1; the first is the catalogue. `trailer` is more of the trailer's dictionary. */
export function pdfFile(objects, trailer = "") {
  let body = "%PDF-1.4\n";
  const offsets = objects.map((object, index) => {
    const offset = body.length;
    body += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const start = body.length;
  body += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("")}`;
  body += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer}>>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(body, "latin1");
}

export function samplePdf(source) {
  const font = (name) => `<< /Type /Font /Subtype /Type1 /BaseFont /${name} /Encoding /WinAnsiEncoding >>`;
  const objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", font("Helvetica"), font("Helvetica-Bold")];
  const kids = [];
  for (const page of source.split(/^----$/m)) {
    const stream = content(page);
    objects.push(`<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`);
    objects.push(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${WIDTH} ${HEIGHT}] /Contents ${objects.length} 0 R /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>`);
    kids.push(`${objects.length} 0 R`);
  }
  objects[1] = `<< /Type /Pages /Kids [${kids.join(" ")}] /Count ${kids.length} >>`;
  return pdfFile(objects);
}
