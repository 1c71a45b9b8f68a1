// The view "Settings": model, device, threads, windows, colours, what is stored in this browser, and what the page is made of.
import facts from "build:facts";
import type { DeviceRequest } from "foliorank";
import { choose, chosen, modelAddress, onChoice, type Choices, type Theme } from "../choices.js";
import { all, byId, make } from "../dom.js";
import type { Model } from "../model.js";
import { strings } from "../strings.js";
import { StoragePanel } from "./storage.js";

/** Name, value and the rest of one choice among few. */
interface Option {
  value: string;
  label: string;
  about?: string;
}

function radios(box: HTMLElement, name: string, options: readonly Option[], onPick: (value: string) => void): void {
  box.replaceChildren(...options.map(({ value, label, about }) => {
    const input = make("input");
    input.type = "radio";
    input.name = name;
    input.value = value;
    input.addEventListener("change", () => onPick(value));
    const words = make("span", "option-label", label);
    return make("label", "option", input, about === undefined ? words : make("span", "option-words", words, make("span", "option-about", about)));
  }));
}

export class SettingsView {
  readonly #model: Model;
  readonly #storage: StoragePanel;

  constructor(model: Model) {
    this.#model = model;
    this.#storage = new StoragePanel(model);
    this.#wireModels();
    radios(byId("device-options"), "device", strings.deviceOptions, (value) => choose({ device: value as DeviceRequest }));
    radios(byId("thread-options"), "threads", strings.threadOptions, (value) => choose({ threads: value === "auto" ? value : Number(value) }));
    radios(byId("theme-options"), "theme", strings.themeOptions, (value) => choose({ theme: value as Theme }));
    for (const name of ["window", "overlap"] as const) {
      const input = byId<HTMLInputElement>(name);
      input.addEventListener("change", () => {
        if (input.checkValidity()) choose({ [name]: input.value === "" ? undefined : Number(input.value) });
        else input.reportValidity();
      });
    }
    onChoice((now) => this.#show(now));
    this.#show(chosen());
    this.#about();
    model.onChange(() => this.#about());
  }

  /** Called whenever the view comes to the front. */
  refresh(): void {
    void this.#storage.refresh();
  }

  #wireModels(): void {
    const options = facts.models.map(({ name, title, bytes, licence, architecture }) => ({
      value: name, label: title, about: strings.modelAbout(strings.architecture[architecture as "bert-cross-encoder"] ?? architecture, bytes, licence),
    }));
    const { model } = chosen();
    // One that the address named.
    if (!options.some(({ value }) => value === model)) options.push({ value: model, label: strings.ownModel, about: modelAddress(model) });
    radios(byId("model-options"), "model", options, (value) => choose({ model: value }));
  }

  #show({ model, device, threads, theme, window, overlap }: Choices): void {
    for (const [name, value] of Object.entries({ model, device, threads: String(threads), theme })) {
      for (const input of all<HTMLInputElement>(`input[name=${name}]`)) input.checked = input.value === value;
    }
    byId<HTMLInputElement>("window").value = window === undefined ? "" : String(window);
    byId<HTMLInputElement>("overlap").value = overlap === undefined ? "" : String(overlap);
  }

  #about(): void {
    const { info } = this.#model;
    const rows: [string, string][] = [[strings.aboutPackage, facts.version]];
    if (info) {
      rows.push([strings.aboutWasm, `${info.version}, ${info.variant}`], [strings.aboutModel, `${info.model}, ${info.licence}`]);
      rows.push([strings.aboutParameters, strings.millions(info.parameters)], [strings.aboutSelfTest, info.selfTest.toExponential(1)]);
    }
    for (const { name, version, licence } of facts.libraries) rows.push([name, `${version}, ${licence}`]);
    byId("about-list").replaceChildren(...rows.flatMap(([name, value]) => [make("dt", "", name), make("dd", "", value)]));
  }
}
