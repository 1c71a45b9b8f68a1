// The page itself: joins the sources, the model, the list and the reader, and owns the one running request.
import type { DeviceRequest, RerankerInfo } from "foliorank";
import { byId, fillStrings, make } from "./dom.js";
import { List } from "./list.js";
import { isDefaultModel, Model, requestedDevice, type Ranked } from "./model.js";
import type { Page } from "./pages.js";
import { ProgressLine } from "./progress.js";
import { Reader, type Span } from "./reader.js";
import { Sources } from "./sources.js";
import { strings } from "./strings.js";

fillStrings();
const query = byId<HTMLInputElement>("query");
const [rerank, cancel, error] = [byId<HTMLButtonElement>("rerank"), byId<HTMLButtonElement>("cancel"), byId("error")];
const model = new Model(requestedDevice());
const progress = new ProgressLine();
const list = new List((page) => open(page));
const reader = new Reader(() => list.focus());
reader.onTurn = (page) => list.select(page);
let running: AbortController | undefined;

const sources = new Sources(
  (pages) => {
    // A ranking of pages that are gone would mislead.
    running?.abort();
    list.showPages(pages);
    reader.setPages(pages);
    if (pages[0]) list.select(pages[0]);
  },
  (name) => { if (name === undefined) progress.end(""); else progress.start(strings.reading(name)); },
);

function open(page: Page): void {
  list.select(page);
  reader.show(page, true);
  progress.say(strings.showing(page.label));
}

function complain(message: string | undefined): void {
  error.hidden = message === undefined;
  error.textContent = message ?? "";
}

function setBusy(busy: boolean): void {
  // Losing a focused button would send the keyboard back to the top of the page.
  const [from, to] = busy ? [rerank, cancel] : [cancel, rerank];
  const focused = document.activeElement === from;
  cancel.hidden = !busy;
  rerank.hidden = busy;
  if (focused) to.focus({ preventScroll: true });
  byId("results").setAttribute("aria-busy", String(busy));
}

function showDevice(info: RerankerInfo | undefined): void {
  const badge = byId("badge");
  badge.dataset["kind"] = info?.device.kind ?? "none";
  byId("badge-text").textContent = info ? strings.badgeKind[info.device.kind] : strings.badgeNone;
  badge.title = info?.device.reason ?? "";
  byId("reason").textContent = info ? [info.device.reason, ...info.warnings.filter((warning) => warning !== info.device.reason)].join(" ") : isDefaultModel ? strings.defaultModelNote : strings.modelNote;
  byId("model-info").textContent = info ? strings.modelInfo(info.model, info.licence, info.threads) : "";
}

function showRanked({ response, info, loadMs }: Ranked): void {
  const { results, usage, timing } = response;
  const padding = usage.paddedTokens / Math.max(1, usage.tokens + usage.paddedTokens);
  const facts = strings.facts(results.length, usage.tokens, usage.batches, padding, timing.totalMs, response.device);
  showDevice(info);
  list.showRanking(response, info, loadMs === undefined ? facts : `${facts}; ${strings.loadFacts(loadMs)}`);
  const spans = new Map<Page, Span>();
  for (const { document: page, passage } of results) if (page && passage) spans.set(page, passage);
  reader.setSpans(spans);
  const best = results[0]?.document;
  if (best) {
    list.select(best);
    reader.show(best, false);
    // On a phone the results are below the fold.
    if (byId("results").getBoundingClientRect().top > innerHeight * 0.75) byId("results").scrollIntoView({ block: "start" });
  }
  progress.end(best ? strings.done(results.length, best.label) : strings.doneNothing);
}

async function run(): Promise<void> {
  running?.abort();
  complain(undefined);
  if (!query.value.trim()) {
    complain(strings.noQuery);
    query.focus();
    return;
  }
  if (sources.pages.length === 0) {
    complain(strings.noPages);
    return;
  }
  const controller = new AbortController();
  running = controller;
  setBusy(true);
  progress.start(strings.starting);
  try {
    const ranked = await model.rank(query.value, sources.pages, controller.signal, (event) => {
      if (running !== controller) return;
      progress.update(event);
      if (event.type === "batch" && event.batch <= 1) showDevice(model.info);
    });
    if (running === controller) showRanked(ranked);
  } catch (reason) {
    if (running !== controller) return;
    progress.end(controller.signal.aborted ? strings.cancelled : "");
    if (!controller.signal.aborted) complain(strings.failed(reason instanceof Error ? reason.message : String(reason)));
  } finally {
    if (running === controller) {
      running = undefined;
      setBusy(false);
    }
  }
}

byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  void run();
});
cancel.addEventListener("click", () => running?.abort());
for (const radio of document.querySelectorAll<HTMLInputElement>("input[name=device]")) {
  radio.checked = radio.value === requestedDevice();
  radio.addEventListener("change", () => {
    running?.abort();
    model.setDevice(radio.value as DeviceRequest);
    showDevice(undefined);
  });
}
for (const example of strings.sampleQueries) {
  const button = make("button", "example", example);
  button.type = "button";
  button.addEventListener("click", () => {
    query.value = example;
    void run();
  });
  byId("examples").append(button);
}
query.value = strings.sampleQueries[0];
showDevice(undefined);
sources.render();
