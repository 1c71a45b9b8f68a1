// How the demo cuts texts: at headings, in whole paragraphs, losing nothing.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { source } from "./source.mjs";

const { group, markdownBlocks, textBlocks, toPages } = source;
const words = (count, word = "word") => new Array(count).fill(word).join(" ");
const count = (text) => text.split(/\s+/u).filter(Boolean).length;

test("markdown is cut at its headings, and a heading belongs to its section", () => {
  const pages = toPages(markdownBlocks("lead\n\n# One #\n\ntext one\n\nTwo\n===\ntext two\n\n```\n# no heading\n```\n"), "f.md");
  assert.deepEqual(pages.map(({ label }) => label), ["Part 1", "One", "Two"]);
  assert.equal(pages[1].text, "One\n\ntext one");
  assert.match(pages[2].text, /# no heading/);
});

test("paragraphs are grouped to 80-200 words and keep their order", () => {
  const groups = group([words(50, "a"), words(50, "b"), words(150, "c"), words(60, "d"), words(100, "e")]);
  assert.deepEqual(groups.map(count), [100, 150, 160]);
  assert.equal(groups.join("\n\n").replace(/\s+/gu, " "), [words(50, "a"), words(50, "b"), words(150, "c"), words(60, "d"), words(100, "e")].join(" "));
});

test("a short rest joins the group before it", () => {
  assert.deepEqual(group([words(190), words(20)]).map(count), [210]);
});

test("one endless paragraph is cut between sentences", () => {
  const groups = group([new Array(60).fill(`The ${words(8)} end.`).join(" ")]);
  assert.ok(groups.length >= 3 && groups.every((text) => count(text) <= 200 && text.endsWith(".")));
});

test("plain text without blank lines is taken line by line", () => {
  assert.deepEqual(textBlocks("a\r\nb\nc").map(({ text }) => text), ["a", "b", "c"]);
  assert.deepEqual(textBlocks("a\nb\n\n \nc").map(({ text }) => text), ["a\nb", "c"]);
});

test("the sample has a section for each heading, none too long", () => {
  const sample = readFileSync(new URL("../demo/samples/ellerwick.md", import.meta.url), "utf8");
  const pages = toPages(markdownBlocks(sample), "sample");
  assert.equal(pages.length, sample.match(/^#+ /gm).length);
  assert.ok(pages.every(({ text }) => count(text) >= 60 && count(text) <= 230));
});

test("a line of a megabyte without a sentence is cut between words, or anywhere, and nothing is lost", () => {
  for (const line of ["y ".repeat(500_000).trim(), "x".repeat(1_000_000), "\u{1f600}".repeat(5_000)]) {
    const groups = group([line]);
    assert.ok(groups.every((text) => text.length <= 9000), String(Math.max(...groups.map((text) => text.length))));
    assert.equal(groups.join("").replace(/\s/gu, ""), line.replace(/\s/gu, ""));
    assert.ok(groups.every((text) => text.isWellFormed?.() ?? true));
  }
});
