// So many at once and no more, in the order they came; and questions to a judge, one call for each query.
import assert from "node:assert/strict";
import { test } from "node:test";
import { code, source } from "./source.mjs";

const { judgeByQuery, limit } = source;
const never = new AbortController().signal;
/** After so many microtasks: one of them falls between the end of one piece of work and the start of the next in line. */
const later = async (ticks, act) => {
  for (let tick = 0; tick < ticks; tick += 1) await undefined;
  return act();
};
const soon = () => new Promise((resolve) => { setTimeout(resolve); });

test("there are never more at work than allowed, also when new work comes in the moment a place is handed on", async () => {
  const inTurn = limit(2);
  let [working, most, done] = [0, 0, 0];
  const work = async () => {
    working += 1;
    most = Math.max(most, working);
    await soon();
    working -= 1;
    done += 1;
    if (done <= 6) void later(done, () => inTurn(work, never));
  };
  await Promise.all(Array.from({ length: 6 }, () => inTurn(work, never)));
  while (done < 12) await soon();
  assert.deepEqual([working, most], [0, 2]);
});

test("who waits and is not wanted any more leaves the line, and the next gets the place", async () => {
  const inTurn = limit(1);
  const order = [];
  const left = new AbortController();
  let end;
  const first = new Promise((resolve) => { end = resolve; });
  const all = [inTurn(() => first, never), inTurn(async () => order.push("left"), left.signal), inTurn(async () => order.push("third"), never)];
  left.abort(new Error("gone"));
  await assert.rejects(all[1], code("aborted"));
  await assert.rejects(inTurn(async () => order.push("late"), left.signal), code("aborted"));
  end();
  await all[2];
  assert.deepEqual(order, ["third"]);
});

test("a judge is asked once for each query, and every group gets its own scores", async () => {
  const calls = [];
  const score = async (query, documents) => {
    calls.push([query, documents]);
    return documents.map((text) => `${query}:${text}`);
  };
  const groups = [
    { query: "a", documents: ["1", "2"] }, { query: "b", documents: ["1"] }, { query: "a", documents: [] }, { query: "a", documents: ["3", "1"] },
  ];
  assert.deepEqual(await judgeByQuery(groups, score), [["a:1", "a:2"], ["b:1"], [], ["a:3", "a:1"]]);
  assert.deepEqual(calls, [["a", ["1", "2", "3", "1"]], ["b", ["1"]]]);
});
