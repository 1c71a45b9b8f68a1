// The OCR benchmark's own logic: what counts as wrong, boxes from a detector's map, lines in order, characters from steps.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ocrMarkdown, wrong } from "../ocr-results.mjs";
import { classesOf, decode, lineBoxes, onnxMetadata, readingOrder, smallestBox } from "../page/ppocr.mjs";

test("wrong characters are those to change, put in or take out, whatever the quotes and spaces", () => {
  assert.equal(wrong("It's the \u201cold\u201d mill \u2013 here", "It\u2019s  the \"old\"\nmill - here"), 0);
  assert.equal(wrong("kitten", "sitting"), 3);
  assert.equal(wrong("abc", ""), 3);
  assert.equal(wrong("", "abc"), 3);
});

test("the smallest box of points is found at any angle", () => {
  for (const degrees of [0, 3, -20, 40]) {
    const angle = (degrees * Math.PI) / 180;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const points = [];
    // Without its corners, so that not every edge is one of the box.
    for (let u = -50; u <= 50; u += 1) for (let v = -10; v <= 10; v += 1) if (Math.abs(u) / 5 + Math.abs(v) < 17) points.push([300 + u * cos - v * sin, 200 + u * sin + v * cos]);
    const box = smallestBox(points);
    for (const [found, expected] of [[box.x, 300], [box.y, 200], [box.width, 100], [box.height, 20], [box.angle, angle]]) assert.ok(Math.abs(found - expected) < 1e-6, `${degrees}: ${JSON.stringify(box)}`);
  }
  assert.equal(smallestBox([]), undefined);
});

test("lines of a map become boxes that are larger than what was marked, faint and tiny marks become none", () => {
  const [width, height] = [200, 100];
  const map = new Float32Array(width * height);
  const mark = (left, top, right, bottom, value) => { for (let y = top; y <= bottom; y += 1) for (let x = left; x <= right; x += 1) map[y * width + x] = value; };
  mark(20, 20, 120, 28, 0.9);
  mark(20, 60, 120, 68, 0.3);
  mark(150, 60, 151, 61, 0.9);
  const boxes = lineBoxes(map, width, height, { x: 2, y: 2 });
  assert.equal(boxes.length, 1);
  const [[left, top], , [right, bottom]] = boxes[0];
  // 100 by 8: 1.4 times its area over its circumference is 5.2 pixels, of a map at half the size.
  const grown = (100 * 8 * 1.4) / 216;
  for (const [found, expected] of [[left, 2 * (20 - grown)], [top, 2 * (20 - grown)], [right, 2 * (120 + grown)], [bottom, 2 * (28 + grown)]]) assert.ok(Math.abs(found - expected) < 1e-3, String([found, expected]));
});

test("lines are read column by column, row by row, also on a page that is askew", () => {
  const line = (left, top, width, slope = 0) => [[left, top], [left + width, top + width * slope], [left + width, top + 20 + width * slope], [left, top + 20]];
  assert.deepEqual(readingOrder([line(600, 100, 300), line(100, 130, 400), line(600, 130, 300), line(100, 100, 400)], 1000), [[3], [1], [0], [2]]);
  assert.deepEqual(readingOrder([line(300, 102, 100), line(100, 100, 195), line(100, 140, 300)], 1000), [[1, 0], [2]]);
  assert.deepEqual(readingOrder([line(100, 130, 800, 0.05), line(100, 100, 800, 0.05)], 1000), [[1], [0]]);
  assert.deepEqual(readingOrder([], 1000), []);
});

test("steps become text: the best class of each, repeats once, what is nothing parts them", () => {
  const classes = classesOf("a\nb\nc\n");
  assert.deepEqual(classes, ["", "a", "b", "c", " "]);
  const steps = [1, 1, 0, 1, 4, 2, 3, 3, 0].flatMap((best) => classes.map((_, index) => (index === best ? 0.9 : 0.01)));
  assert.equal(decode(Float32Array.from(steps), classes), "aa bc");
});

test("the metadata of an ONNX file is found behind what is large in it", () => {
  const bytes = (field, data) => [field * 8 + 2, ...(data.length < 128 ? [data.length] : [(data.length & 127) | 128, data.length >> 7]), ...data];
  const entry = bytes(14, [...bytes(1, Buffer.from("character")), ...bytes(2, Buffer.from("a\nb"))]);
  assert.deepEqual(onnxMetadata(Uint8Array.from([8, 200, 1, ...bytes(7, new Array(300).fill(9)), ...entry])), { character: "a\nb" });
});

test("the table has a row for each picture and one for all", () => {
  const rows = (wrongs) => wrongs.map((count, place) => ({ picture: `p${place}`, ms: 1000, characters: 100, wrong: count }));
  const table = ocrMarkdown({ machine: "m", date: "d", bytes: { one: { raw: 2e6, gzip: 1e6 } }, results: { one: { openMs: 500, load: 1, rows: rows([1, 3]) }, two: { openMs: 900, load: 2, rows: rows([0, 0]) } } });
  assert.match(table, /\| p1 \| 3\.00%, 1\.0 s \| 0\.00%, 1\.0 s \|/);
  assert.match(table, /\| \*\*all\*\* \| \*\*2\.00%, 1\.0 s\*\* \|/);
  assert.match(table, /one: 2\.0 MB, 1\.0 MB/);
});
