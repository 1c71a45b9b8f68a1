// The view "Benchmark", opened by ?bench: how fast the chosen model is on this machine, on the CPU and on WebGPU, with the sample's texts.
// What other libraries do with the same weights is measured by `cargo xtask bench`, not here.
import { Reranker, type DeviceKind } from "foliorank";
import { chosen, modelAddress } from "../choices.js";
import { byId, make } from "../dom.js";
import { sampleSource } from "../library/samples.js";
import { ProgressLine } from "../progress.js";
import { strings } from "../strings.js";

const ROUNDS = 3;
const QUERY = "How much did the new footbridge cost and who paid for it?";

/** Documents of a run, made of the sample's sections. */
const WORKLOADS = [{ name: strings.benchOne, count: 1 }, { name: strings.benchPage, count: 14 }, { name: strings.benchMany, count: 56 }] as const;

interface Row {
  device: DeviceKind;
  workload: string;
  ms: number;
  documents: number;
  tokens: number;
  threads: number;
  loadMs: number;
}

const median = (values: readonly number[]): number => [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;

export class BenchView {
  readonly #progress = new ProgressLine(byId("bench-work"));
  #running: AbortController | undefined;

  constructor() {
    byId("bench-run").addEventListener("click", () => void this.#run());
    byId("bench-stop").addEventListener("click", () => this.#running?.abort());
  }

  async #run(): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    this.#running = controller;
    this.#setBusy(true);
    this.#progress.start(strings.starting);
    const rows: Row[] = [];
    const problems: string[] = [];
    const { device } = chosen();
    try {
      for (const kind of device === "auto" ? ["cpu", "webgpu"] as const : [device]) {
        try {
          await this.#measure(kind, signal, rows);
        } catch (error) {
          signal.throwIfAborted();
          problems.push(strings.benchFailed(strings.badgeKind[kind], (error as Error).message));
        }
      }
      this.#progress.end(strings.benchDone);
    } catch {
      this.#progress.end(strings.stopped);
    }
    byId("bench-note").textContent = problems.join(" ");
    this.#setBusy(false);
  }

  async #measure(device: DeviceKind, signal: AbortSignal, rows: Row[]): Promise<void> {
    const begun = performance.now();
    const onProgress = this.#progress.update.bind(this.#progress);
    const reranker = await Reranker.load({ model: modelAddress(chosen().model), device, threads: chosen().threads, signal, onProgress });
    const loadMs = performance.now() - begun;
    try {
      const texts = sampleSource().pages.map(({ text }) => text);
      for (const { name, count } of WORKLOADS) {
        const documents = Array.from({ length: count }, (_, place) => texts[(place + 2) % texts.length] as string);
        const times: number[] = [];
        let tokens = 0;
        // The first one is not counted: it compiles, and wakes the other workers.
        for (let round = 0; round <= ROUNDS; round += 1) {
          this.#progress.set(strings.benchRound(strings.badgeKind[device], name, round, ROUNDS), round / ROUNDS);
          const { timing, usage } = await reranker.rerank(QUERY, documents, { signal });
          tokens = usage.tokens;
          if (round > 0) times.push(timing.totalMs);
        }
        rows.push({ device, workload: name, ms: median(times), documents: count, tokens, threads: reranker.info.threads, loadMs });
        showRows(rows);
      }
    } finally {
      reranker.dispose();
    }
  }

  #setBusy(busy: boolean): void {
    byId("bench-run").hidden = busy;
    byId("bench-stop").hidden = !busy;
  }
}

function showRows(rows: readonly Row[]): void {
  const cell = (tag: "td" | "th", text: string): HTMLTableCellElement => {
    const made = make(tag, tag === "td" ? "number" : "", text);
    if (tag === "th") made.scope = "col";
    return made;
  };
  const head = make("tr", "", ...strings.benchColumns.map((name) => cell("th", name)));
  const body = rows.map(({ device, workload, ms, documents, tokens, threads, loadMs }) => make("tr", "",
    ...[strings.badgeKind[device], workload, strings.milliseconds(ms), (documents / ms * 1000).toFixed(1), (tokens / ms * 1000).toFixed(0), String(threads), strings.milliseconds(loadMs)].map((text) => cell("td", text))));
  byId("bench-table").replaceChildren(make("thead", "", head), make("tbody", "", ...body));
}
