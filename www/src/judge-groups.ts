// Questions to a judge by query: a cross-encoder is at its best with all documents of a query in one call.
import type { JudgeGroup } from "./strategy-types.js";

/** One number a document for each group, from one call of `score` for each query with all its documents, in the order of the groups. */
export async function judgeByQuery(
  groups: readonly JudgeGroup[], score: (query: string, documents: string[]) => Promise<readonly number[]>,
): Promise<number[][]> {
  const byQuery = new Map<string, string[]>();
  for (const { query, documents } of groups) {
    const asked = byQuery.get(query);
    if (asked) asked.push(...documents);
    else byQuery.set(query, [...documents]);
  }
  const rows = new Map<string, { scores: readonly number[]; taken: number }>();
  for (const [query, documents] of byQuery) rows.set(query, { scores: await score(query, documents), taken: 0 });
  return groups.map(({ query, documents: { length } }) => {
    const row = rows.get(query) as { scores: readonly number[]; taken: number };
    row.taken += length;
    return row.scores.slice(row.taken - length, row.taken);
  });
}
