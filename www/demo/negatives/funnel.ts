// The funnel of look-alikes: how many were made, what the others died of, and how many are kept.
import type { Funnel } from "foliorank";
import { byId, make } from "../dom.js";
import { strings } from "../strings.js";

type Tally = Funnel["negatives"];

/** Deaths that people ask about, some only where there are any; the rest is "other". */
const SHOWN: readonly { name: string; deaths: readonly string[]; rare?: true }[] = [
  { name: strings.funnelA, deaths: ["prompt_a", "both_prompts"] },
  { name: strings.funnelB, deaths: ["prompt_b"] },
  { name: strings.funnelControl, deaths: ["control"], rare: true },
  { name: strings.funnelDuplicate, deaths: ["duplicate", "same_positive"] },
  { name: strings.funnelSurplus, deaths: ["surplus"] },
];

export function showFunnel({ negatives }: Funnel): void {
  const died = (names: readonly string[]): number => names.reduce((sum, name) => sum + (deathsOf(negatives)[name] ?? 0), 0);
  const known = SHOWN.flatMap(({ deaths }) => deaths);
  const other = Object.entries(deathsOf(negatives)).reduce((sum, [name, count]) => sum + (known.includes(name) ? 0 : count), 0);
  const steps = [
    { name: strings.funnelGenerated, count: negatives.generated, kind: "all" },
    ...SHOWN.map(({ name, deaths, rare }) => ({ name, count: died(deaths), kind: "dead", rare })).filter(({ count, rare }) => !rare || count > 0),
    { name: strings.funnelOther, count: other, kind: "dead" },
    { name: strings.funnelKept, count: negatives.kept, kind: "kept" },
  ];
  byId("funnel").hidden = false;
  byId("funnel-steps").replaceChildren(...steps.map(({ name, count, kind }) => {
    const bar = make("span", "funnel-bar");
    bar.style.setProperty("--share", String(count / Math.max(1, negatives.generated)));
    const step = make("li", "funnel-step", make("span", "funnel-name", name), make("span", "funnel-count", kind === "dead" && count > 0 ? `\u2212${count}` : String(count)), bar);
    step.dataset["kind"] = kind;
    return step;
  }));
}

const deathsOf = ({ deaths }: Tally): Record<string, number> => deaths as Record<string, number>;
