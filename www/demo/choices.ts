// What the user has chosen: model, device, threads, windows, colours. Kept in this browser; the address (?model=, ?device=, ?threads=)
// goes before what is kept and is not written down.
import type { DeviceRequest, ThreadRequest } from "foliorank";
import facts from "build:facts";

export type Theme = "system" | "light" | "dark";

export interface Choices {
  /** Name of a model of the catalogue, or the address of a folder with a model.json. */
  model: string;
  device: DeviceRequest;
  threads: ThreadRequest;
  /** Tokens; absent: as the model has it. */
  window?: number;
  overlap?: number;
  theme: Theme;
}

const KEY = "foliorank-choices";
export const DEFAULT_MODEL = "ms-marco-minilm-l12-v2";
const parameters = new URLSearchParams(location.search);

function kept(): Partial<Choices> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Choices>;
  } catch {
    // Storage is forbidden, or somebody else wrote there.
    return {};
  }
}

function given(): Partial<Choices> {
  const [model, device, threads] = ["model", "device", "threads"].map((name) => parameters.get(name));
  return {
    ...(model ? { model } : {}),
    ...(device === "webgpu" || device === "cpu" || device === "auto" ? { device } : {}),
    // A number that makes no sense is left to the package to refuse.
    ...(threads ? { threads: threads === "auto" ? threads : Number(threads) } : {}),
  };
}

const positive = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;

function checked({ model, device, threads, window, overlap, theme }: Partial<Choices>): Choices {
  return {
    model: typeof model === "string" && model !== "" ? model : DEFAULT_MODEL,
    device: device === "webgpu" || device === "cpu" ? device : "auto",
    threads: typeof threads === "number" ? threads : "auto",
    theme: theme === "light" || theme === "dark" ? theme : "system",
    ...(positive(window) && window > 0 ? { window } : {}), ...(positive(overlap) ? { overlap } : {}),
  };
}

let choices = checked({ ...kept(), ...given() });
const listeners = new Set<(now: Choices, before: Choices) => void>();

export const chosen = (): Choices => choices;

export function onChoice(listener: (now: Choices, before: Choices) => void): void {
  listeners.add(listener);
}

/** A value of undefined takes a choice back. */
export function choose(change: { [K in keyof Choices]?: Choices[K] | undefined }): void {
  const before = choices;
  const next = { ...choices, ...change };
  choices = checked(Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined)));
  try {
    localStorage.setItem(KEY, JSON.stringify(choices));
  } catch {
    // They last as long as the tab, then.
  }
  for (const listener of listeners) listener(choices, before);
}

/** The folder of a model, as an address. */
export function modelAddress(model: string): string {
  const known = facts.models.some(({ name }) => name === model);
  return new URL(known ? `../models/${model}/` : model, document.baseURI).href;
}

/** Puts the colours on the page, now and whenever they change. */
export function followTheme(): void {
  const apply = ({ theme }: Choices): void => {
    if (theme === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
  };
  onChoice(apply);
  apply(choices);
}
