// Counters and one histogram in the text format of Prometheus.

const BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

const escape = (value: string): string => value.replace(/[\\"\n]/g, (found) => (found === "\n" ? "\\n" : `\\${found}`));

export class Metrics {
  readonly #requests = new Map<string, number>();
  readonly #seconds = new Map<string, { counts: number[]; sum: number; count: number }>();
  #documents = 0;
  #tokens = 0;

  /** A request that was answered; `route` is one of a few, never what the client wrote. */
  answered(route: string, status: number, seconds: number): void {
    const key = `route="${escape(route)}",status="${status}"`;
    this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1);
    const times = this.#seconds.get(route) ?? { counts: BUCKETS.map(() => 0), sum: 0, count: 0 };
    BUCKETS.forEach((bound, index) => { if (seconds <= bound) times.counts[index] = (times.counts[index] ?? 0) + 1; });
    times.sum += seconds;
    times.count += 1;
    this.#seconds.set(route, times);
  }

  scored(documents: number, tokens: number): void {
    this.#documents += documents;
    this.#tokens += tokens;
  }

  text({ working, waiting }: { working: number; waiting: number }): string {
    const lines = [
      "# HELP foliorank_requests_total Requests answered.", "# TYPE foliorank_requests_total counter",
      ...[...this.#requests].map(([labels, count]) => `foliorank_requests_total{${labels}} ${count}`),
      "# HELP foliorank_request_seconds Time from request to answer.", "# TYPE foliorank_request_seconds histogram",
      ...[...this.#seconds].flatMap(([route, { counts, sum, count }]) => [
        ...BUCKETS.map((bound, index) => `foliorank_request_seconds_bucket{route="${escape(route)}",le="${bound}"} ${counts[index]}`),
        `foliorank_request_seconds_bucket{route="${escape(route)}",le="+Inf"} ${count}`,
        `foliorank_request_seconds_sum{route="${escape(route)}"} ${sum}`,
        `foliorank_request_seconds_count{route="${escape(route)}"} ${count}`,
      ]),
      "# HELP foliorank_documents_total Documents and texts scored or embedded.", "# TYPE foliorank_documents_total counter", `foliorank_documents_total ${this.#documents}`,
      "# HELP foliorank_tokens_total Tokens computed.", "# TYPE foliorank_tokens_total counter", `foliorank_tokens_total ${this.#tokens}`,
      "# HELP foliorank_working Requests being worked on.", "# TYPE foliorank_working gauge", `foliorank_working ${working}`,
      "# HELP foliorank_waiting Requests waiting.", "# TYPE foliorank_waiting gauge", `foliorank_waiting ${waiting}`,
    ];
    return `${lines.join("\n")}\n`;
  }
}
