// One question that the page answers and its look-alikes as a table: what was changed, votes, score, margin; each can be edited, with its
// score following what is typed, or deleted, and others can be added.
import { make, makeButton } from "../dom.js";
import { strings } from "../strings.js";
import { byHand, fools, type Group, type Negative } from "./groups.js";

export interface TableHooks {
  /** Scores a query for the group's page; undefined when a later one took its place. */
  score: (query: string, group: Group) => Promise<number | undefined>;
  /** The user changed something: a look-alike was rewritten, added or deleted. */
  onEdit: (group: Group, change: { negative: Negative; query: string; how: "rewrite" | "add" | "delete" }) => void;
  /** Of all scores that are shown, for the bars. */
  range: () => { low: number; high: number };
}

const DEBOUNCE_MS = 250;

/** The query with what was changed marked in it. */
function shown({ query, to }: Negative): Node[] {
  const at = to ? query.toLowerCase().indexOf(to.toLowerCase()) : -1;
  if (!to || at < 0) return [document.createTextNode(query)];
  return [document.createTextNode(query.slice(0, at)), make("mark", "", query.slice(at, at + to.length)), document.createTextNode(query.slice(at + to.length))];
}

function scoreCell(score: number | null | undefined, { low, high }: { low: number; high: number }, kind: "positive" | "negative"): HTMLTableCellElement {
  const cell = make("td", `cell-score ${kind}`);
  cell.dataset["name"] = strings.colScore;
  if (typeof score !== "number") {
    cell.append(strings.scoringNow);
    return cell;
  }
  const fill = make("span", "bar-fill");
  fill.style.setProperty("--share", String(Math.min(1, Math.max(0.02, (score - low) / Math.max(1e-6, high - low)))));
  const bar = make("span", "bar", fill);
  bar.setAttribute("aria-hidden", "true");
  cell.append(make("span", "number", score.toFixed(2)), bar);
  return cell;
}

const marginText = (margin: number | null | undefined): string => (typeof margin === "number" ? `${margin > 0 ? "+" : ""}${margin.toFixed(2)}` : strings.scoringNow);

export function groupTable(group: Group, place: number, hooks: TableHooks): HTMLElement {
  const { positive, negatives } = group;
  const head = make("thead", "", make("tr", "", ...[strings.colQuery, strings.colChange, strings.colVotes, strings.colScore, strings.colMargin, strings.colActions]
    .map((name) => {
      const cell = make("th", "", name);
      cell.scope = "col";
      return cell;
    })));
  const first = make("tr", "row-positive", make("td", "cell-query", make("span", "tag", strings.positive), positive.query), make("td"),
    make("td", "cell-votes", positive.votes ? strings.votesShort(positive.votes.a, positive.votes.b) : strings.votesRule),
    scoreCell(positive.score, hooks.range(), "positive"), make("td"), make("td"));
  const body = make("tbody", "", first, ...negatives.map((negative) => row(group, negative, hooks)));
  const table = make("table", "negatives", head, body);
  const title = make("h3", "", strings.groupHeading(place + 1));
  const input = make("input");
  input.type = "text";
  input.autocomplete = "off";
  const form = make("form", "neg-add", make("label", "field", make("span", "", strings.addLabel), input));
  const add = make("button", "button", strings.add);
  form.append(add);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const query = input.value.trim();
    if (query) hooks.onEdit(group, { negative: byHand(query), query, how: "add" });
  });
  return make("section", "card group", title, make("div", "table-box", table), form);
}

function row(group: Group, negative: Negative, hooks: TableHooks): HTMLTableRowElement {
  const query = make("td", "cell-query", ...shown(negative));
  if (fools(negative)) query.append(make("span", "tag bad", strings.fools));
  const change = make("td", "cell-change");
  if (negative.property) change.append(make("span", "chip", negative.property.replace(/^custom:/u, "")));
  if (negative.from && negative.to) change.append(make("span", "change", strings.changed(negative.from, negative.to)));
  const votes = make("td", "cell-votes", negative.votes ? strings.votesShort(negative.votes.a, negative.votes.b) : negative.property ? strings.votesRule : strings.votesHand);
  if (negative.votes) votes.title = strings.votes(negative.votes.a, negative.votes.b);
  const score = scoreCell(negative.score, hooks.range(), "negative");
  const margin = make("td", "cell-margin number", marginText(negative.margin));
  const actions = make("td", "cell-actions");
  const item = make("tr", fools(negative) ? "row-fooled" : "", query, change, votes, score, margin, actions);
  for (const [cell, name] of [[change, strings.colChange], [votes, strings.colVotes], [margin, strings.colMargin]] as const) cell.dataset["name"] = name;
  const edit = makeButton("link", strings.edit, () => startEdit(group, negative, hooks, { query, score, margin, actions }));
  edit.setAttribute("aria-label", strings.editOne(negative.query));
  const remove = makeButton("link", strings.remove, () => hooks.onEdit(group, { negative, query: "", how: "delete" }));
  remove.setAttribute("aria-label", strings.removeOne(negative.query));
  actions.append(edit, remove);
  return item;
}

interface Cells {
  query: HTMLElement;
  score: HTMLElement;
  margin: HTMLElement;
  actions: HTMLElement;
}

function startEdit(group: Group, negative: Negative, hooks: TableHooks, cells: Cells): void {
  const input = make("textarea");
  input.rows = 2;
  input.value = negative.query;
  input.setAttribute("aria-label", strings.editOne(negative.query));
  cells.query.replaceChildren(input);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const rescore = async (): Promise<void> => {
    const score = await hooks.score(input.value, group).catch(() => undefined);
    if (score === undefined || !input.isConnected) return;
    cells.score.replaceChildren(make("span", "number", score.toFixed(2)));
    cells.margin.textContent = marginText((group.positive.score ?? NaN) - score);
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => { if (input.value.trim()) void rescore(); }, DEBOUNCE_MS);
  });
  const done = (): void => {
    clearTimeout(timer);
    hooks.onEdit(group, { negative, query: input.value.trim() || negative.query, how: "rewrite" });
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      done();
    }
  });
  cells.actions.replaceChildren(makeButton("button", strings.editDone, done));
  input.focus();
}
