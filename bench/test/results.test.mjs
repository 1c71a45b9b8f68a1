// What is written down follows from the times, and answers that differ are refused. No browser.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { growthPlot } from "../growth.mjs";
import { agreement, markdown, median, row, withRun } from "../results.mjs";

const times = { workload: "w", device: "cpu", threads: 2, peer: "p", ours: [100, 300, 110], theirs: [220, 200, 210, 1000] };

test("the median is the middle, or the mean of the two in the middle", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([10, 1, 2, 3]), 2.5);
  assert.throws(() => median([]));
});

test("a ratio above 1 means that ours is faster, and the spread is least and most", () => {
  assert.deepEqual(row(times), {
    workload: "w", device: "cpu", threads: 2, ours_ms: 110, peer: "p", peer_ms: 215, ratio: 1.955,
    spread: { ours_ms: [100, 300], peer_ms: [200, 1000] },
  });
});

test("answers too far apart, missing or not a number are not the same work", () => {
  assert.equal(agreement("p", [1, -2], [1.25, -2], 0.5), 0.25);
  assert.throws(() => agreement("p", [1, -2], [1, -3], 0.5), /not the same work/);
  assert.throws(() => agreement("p", [1, 2], [1, NaN], 0.5), /not the same work/);
  assert.throws(() => agreement("p", [1, 2], [1], 0.5), /scored 1/);
});

test("the table has a line for each row, in seconds", () => {
  const text = markdown({ machine: "m", runs: [{ workload: "w", device: "cpu", command: "c", date: "d", load: ["1", "2"], rows: [row(times)], differences: [0.001] }] });
  assert.match(text, /\| w \| cpu \| p \| 2 \| 0\.11 \(0\.10\.\.0\.30\) \| 0\.21 \(0\.20\.\.1\.00\) \| 1\.96 \| 0\.0010 \|/);
  assert.match(text, /\| w \| cpu \| `c` \| d \| 1, 2 \|/);
});

test("a workload that is measured again takes the place of its older run, and runs stay in the plan's order", () => {
  const run = (workload, device, date) => ({ workload, device, date });
  let runs = [];
  for (const [workload, device, date] of [["b", "webgpu", 1], ["a", "cpu", 1], ["b", "cpu", 1], ["a", "webgpu", 1], ["b", "cpu", 2]]) runs = withRun(runs, run(workload, device, date), ["a", "b"]);
  assert.deepEqual(runs, [run("a", "cpu", 1), run("b", "cpu", 2), run("a", "webgpu", 1), run("b", "webgpu", 1)]);
});

test("the plot has a point for each number of documents and stays within its frame", () => {
  const rows = [10, 100, 1000].map((documents, i) => ({ documents, us_per_token: 500 + i, wasm_mib: 40 }));
  const plot = growthPlot({ device: "cpu", rows });
  assert.equal(plot.match(/<circle/g).length, 6);
  for (const [, x, y] of plot.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)) assert.ok(x >= 70 && x <= 640 && y >= 0 && y <= 440, `${x}, ${y}`);
});

test("the results that are kept have the shape that is promised", () => {
  const file = join(dirname(fileURLToPath(import.meta.url)), "../results/latest.json");
  assert.ok(existsSync(file), "bench/results/latest.json is missing; cargo xtask bench writes it");
  const { machine, rows, ...rest } = JSON.parse(readFileSync(file, "utf8"));
  assert.ok(machine.length > 0 && rows.length > 0);
  assert.deepEqual(rest, {});
  for (const found of rows) {
    assert.deepEqual(Object.keys(found), ["workload", "device", "threads", "ours_ms", "peer", "peer_ms", "ratio", "spread"]);
    assert.ok(Math.abs(found.ratio - found.peer_ms / found.ours_ms) < 0.01, JSON.stringify(found));
  }
  const keys = rows.map(({ workload, device, peer, threads }) => [workload, device, peer, threads].join());
  assert.equal(new Set(keys).size, rows.length);
});
