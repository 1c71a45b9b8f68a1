// From times to what is written down: medians, spread, ratios, the JSON of issue-given shape and a Markdown table. Measures nothing.

export function median(values) {
  if (values.length === 0) throw new Error("the median of nothing");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const range = (values) => [Math.min(...values), Math.max(...values)];
const round = (value, digits = 1) => Number(value.toFixed(digits));

/** One row: a workload on a device against one peer. ratio = peer_ms / ours_ms, so above 1 we are faster. */
export function row({ workload, device, threads, peer, ours, theirs }) {
  const [ours_ms, peer_ms] = [median(ours), median(theirs)];
  return {
    workload, device, threads, ours_ms: round(ours_ms), peer, peer_ms: round(peer_ms), ratio: round(peer_ms / ours_ms, 3),
    spread: { ours_ms: range(ours).map((ms) => round(ms)), peer_ms: range(theirs).map((ms) => round(ms)) },
  };
}

/** The largest difference of a raw score; refuses answers that cannot come from the same work. */
export function agreement(peer, ours, theirs, limit) {
  if (ours.length !== theirs.length) throw new Error(`${peer} scored ${theirs.length} documents and ours ${ours.length}`);
  const worst = Math.max(...ours.map((score, i) => Math.abs(score - theirs[i])));
  if (!(worst <= limit)) throw new Error(`${peer} differs from ours by ${worst} in a raw score, expected at most ${limit}: it is not the same work`);
  return worst;
}

/**
 * The runs with one more: it takes the place of an older one of the same workload and device. A run has its rows, and the largest
 * difference of each row's scores from ours. `order` are the workloads' names.
 */
export function withRun(runs, run, order) {
  const place = ({ workload, device }) => order.indexOf(workload) + (device === "cpu" ? 0 : order.length);
  const others = runs.filter(({ workload, device }) => workload !== run.workload || device !== run.device);
  return [...others, run].sort((a, b) => place(a) - place(b));
}

const seconds = ([from, to]) => `${(from / 1000).toFixed(2)}..${(to / 1000).toFixed(2)}`;

const line = ({ workload, device, threads, ours_ms, peer, peer_ms, ratio, spread }, difference) =>
  `| ${workload} | ${device} | ${peer} | ${threads} | ${(ours_ms / 1000).toFixed(2)} (${seconds(spread.ours_ms)}) | ${(peer_ms / 1000).toFixed(2)} (${seconds(spread.peer_ms)}) | ${ratio.toFixed(2)} | ${difference.toPrecision(2)} |`;

export function markdown({ machine, runs }) {
  return `# foliorank against its peers

${machine}.

Seconds, median (min..max) of alternating turns in one page. Ratio = peer / ours: above 1 ours is faster. Threads are the peer's; on
the CPU ours has as many workers. Difference is the largest between a raw score of the peer and ours. What each workload is: \`bench/README.md\`.

| workload | device | peer | threads | ours, s | peer, s | ratio | difference |
|---|---|---|---|---|---|---|---|
${runs.flatMap(({ rows, differences }) => rows.map((row, place) => line(row, differences[place]))).join("\n")}

Every workload is a run of its own. Other work on the machine makes times longer and the spread wider:

| workload | device | written by | on | load average before, after |
|---|---|---|---|---|
${runs.map(({ workload, device, command, date, load }) => `| ${workload} | ${device} | \`${command}\` | ${date} | ${load.join(", ")} |`).join("\n")}
`;
}
