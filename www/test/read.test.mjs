// How the demo reads: lines of a PDF with their places, boxes joined to lines, and sizes of pictures from their first bytes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { covered, imageSize, joinLines, mergeLines } = source;
const piece = (str, y, hasEOL = true) => ({ str, hasEOL, width: str.length * 5, height: 10, transform: [10, 0, 0, 10, 50, y] });

test("lines become paragraphs by their gaps, and every piece knows where it stands in the text", () => {
  const pieces = [piece("The  light", 700, false), piece(" house was", 700), piece("built in Sep-", 688), piece("tember.", 676), piece("   ", 660), piece("Next part", 640)];
  const { text, spans } = joinLines(pieces);
  assert.equal(text, "The light house was built in September.\n\nNext part");
  assert.deepEqual(spans.map(({ start, end }) => text.slice(start, end)), ["The light", " house was", "built in Sept", "tember.", "", "Next part"]);
});

test("a span covers pieces by the share of their characters", () => {
  assert.deepEqual(covered({ start: 10, end: 20 }, { start: 15, end: 40 }), { from: 0.5, to: 1 });
  assert.equal(covered({ start: 10, end: 20 }, { start: 20, end: 40 }), undefined);
  assert.equal(covered({ start: 5, end: 5 }, { start: 0, end: 40 }), undefined);
});

test("boxes side by side are one line, and other lines stay apart", () => {
  const box = (x, y) => ({ x, y, width: 0.1, height: 0.02 });
  const merged = mergeLines([box(0.1, 0.5), box(0.21, 0.501), box(0.1, 0.53), box(0.6, 0.53)]);
  assert.deepEqual(merged.map(({ x, y }) => [x, y]), [[0.1, 0.5], [0.1, 0.53], [0.6, 0.53]]);
  assert.ok(Math.abs(merged[0].width - 0.21) < 1e-9);
});

test("sizes of pictures are read from their first bytes", () => {
  const view = (...parts) => {
    const bytes = Buffer.concat([...parts.map((part) => (typeof part === "string" ? Buffer.from(part, "hex") : part)), Buffer.alloc(40)]);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
  assert.deepEqual(imageSize(view("89504e470d0a1a0a0000000d49484452", "00009c40", "00000010")), { width: 40_000, height: 16 });
  assert.deepEqual(imageSize(view(Buffer.from("GIF89a"), "0a001400")), { width: 10, height: 20 });
  assert.deepEqual(imageSize(view(Buffer.from("BM"), "000000000000000000000000280000000a000000ecffffff")), { width: 10, height: 20 });
  // An application segment, then the frame.
  assert.deepEqual(imageSize(view("ffd8", "ffe00004abcd", "ffc0001108", "0014000a")), { width: 10, height: 20 });
  assert.deepEqual(imageSize(view(Buffer.from("RIFF"), "00000000", Buffer.from("WEBPVP8X"), "0a00000000000000", "090000", "130000")), { width: 10, height: 20 });
  assert.equal(imageSize(view("00112233")), undefined);
  assert.equal(imageSize(new DataView(new ArrayBuffer(4))), undefined);
});

test("passages are whole sentences that know their place, and two rankings agree or not", () => {
  const { agreement, cited, passagesOf } = source;
  const text = Array.from({ length: 40 }, (_, index) => `Sentence ${index} has exactly seven words here.`).join(" ");
  const passages = passagesOf({ text, label: "l", file: "f" });
  assert.ok(passages.length >= 3);
  for (const { text: own, start, end } of passages) assert.equal(own, text.slice(start, end));
  assert.equal(passages.map(({ text: own }) => own).join(" "), text);
  assert.deepEqual(passagesOf({ text, label: "l", file: "f" }).map(({ id }) => id), passages.map(({ id }) => id));
  assert.notEqual(passagesOf({ text: `${text}!`, label: "l", file: "f" })[0].id, passages[0].id);
  assert.deepEqual(agreement(["a", "b", "c"], ["c", "b", "a"], 1), { tau: -1, shared: 0 });
  assert.deepEqual(agreement(["a", "b", "c"], ["a", "b", "c"], 2), { tau: 1, shared: 2 });
  assert.deepEqual(cited("It is so [1, 2]. Not [9].", 2), [{ text: "It is so " }, { cites: 1 }, { cites: 2 }, { text: ". Not [9]." }]);
});

test("what goes on as one sentence, or without spaces, becomes passages that a model reads at once, and nothing of it is lost", () => {
  const { passagesOf } = source;
  const endless = { table: " pool y".repeat(860), letters: "x".repeat(6_000), ideographs: "\u6e56".repeat(2_500), pairs: "\u{1f980}".repeat(2_000), sentences: "\u6e56\u6c34\u3002".repeat(800) };
  for (const [name, text] of Object.entries(endless)) {
    const passages = passagesOf({ text, label: "l", file: "f" });
    for (const { text: own, start, end } of passages) {
      assert.equal(own, text.slice(start, end), name);
      assert.ok(own.length <= 900 + 225, `${name}: ${own.length}`);
      assert.ok(own.isWellFormed(), name);
    }
    assert.equal(passages.map(({ text: own }) => own.replaceAll(" ", "")).join(""), text.replaceAll(" ", ""), name);
  }
});

test("of an answer that is still coming only whole citations are shown, and not the word that it is none", () => {
  const { settled } = source;
  const whole = "The fund paid [1, 2]. The club, too [3].";
  for (let length = 1; length <= whole.length; length += 1) assert.doesNotMatch(settled(whole.slice(0, length)).replace(/\[[\d, ]+\]/gu, ""), /\[/u);
  assert.equal(settled("It is so [1"), "It is so");
  assert.equal(settled("It is so [1]"), "It is so [1]");
  assert.equal(settled("A list [see below"), "A list [see below");
  for (const begun of ["", "N", " NOT_IN", "NOT_IN_PAGES", "NOT_IN_PAGES\n"]) assert.equal(settled(begun), "");
  assert.equal(settled("NOT so"), "NOT so");
});

test("an answer's claims name the passages that are cited for them", () => {
  const { cited, claims } = source;
  assert.deepEqual(claims(cited("The fund paid [1, 2]. The club, too [3]. So it was.", 3)), [
    { text: "The fund paid", cites: [1, 2] }, { text: "The club, too", cites: [3] }, { text: "So it was.", cites: [] },
  ]);
  assert.deepEqual(claims(cited("[1] first.", 1)), [{ text: "first.", cites: [] }]);
  assert.deepEqual(claims([]), []);
});

test("several answers are ranked by question and sources together, same words count once, and some may fail", async () => {
  const { candidates } = source;
  const passages = ["a mill", "a bridge"].map((text, place) => ({ id: String(place), text, file: "f", label: "l", start: 0, end: text.length }));
  // Scores by a table: what the question makes of an answer, and what a claim makes of a passage.
  const table = { "q|supported": 0.8, "q|off": 0.9, "supported|a mill": 0.5, "off|a mill": 0.1, "off|a bridge": 0.1 };
  const reranker = {
    rerank: async (query, documents) => ({
      results: documents.map((document, index) => ({ index, relevanceScore: table[`${query}|${document.text ?? document}`] ?? 0 })).sort((a, b) => b.relevanceScore - a.relevanceScore),
    }),
  };
  const answers = ["off [1, 2]", "supported [1]", "NOT_IN_PAGES", undefined, "supported [1]"];
  const given = [];
  const llm = async ({ temperature }, { signal }) => {
    const text = answers[given.push(temperature) - 1];
    if (text === undefined) throw new Error("down");
    return { text, inputTokens: 0, outputTokens: 0, signal };
  };
  const controller = new AbortController();
  const many = { signal: controller.signal, onProgress: () => undefined, models: { start: async () => reranker }, model: "m", onParts: () => undefined, onDone: () => undefined };
  const { ranked, nowhere, failed } = await candidates("q", passages, llm, { ...many, count: 5 });
  assert.deepEqual([nowhere, failed, given.every((temperature) => temperature > 0)], [1, 1, true]);
  assert.deepEqual(ranked.map(({ parts, onQuestion, onSources }) => [parts[0].text, onQuestion, onSources]), [["supported ", 0.8, 0.5], ["off ", 0.9, 0.1]]);
  assert.ok(Math.abs(ranked[0].score - Math.sqrt(0.4)) < 1e-9);
  await assert.rejects(candidates("q", passages, async () => { throw new Error("down"); }, { ...many, count: 2 }), /down/);
  await assert.rejects(candidates("q", passages, async () => { controller.abort(); return { text: "late", inputTokens: 0, outputTokens: 0 }; }, { ...many, count: 2 }), { name: "AbortError" });
});
