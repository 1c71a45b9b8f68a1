// The language model that the user may set up: provider, address, model and key. The key lives in this module's memory alone, and the
// providers' packages are loaded when one is used.
import type { Llm } from "foliorank";
import { byId, make } from "../dom.js";
import { strings } from "../strings.js";

type Provider = "none" | "openai" | "anthropic" | "google" | "built-in";

let current: Llm | undefined;

export const currentLlm = (): Llm | undefined => current;

async function create(provider: Provider, baseUrl: string, model: string, apiKey: string): Promise<Llm | undefined> {
  if (provider === "none") return undefined;
  const llms = await import("foliorank/llm");
  if (provider === "built-in") {
    const own = await llms.builtIn();
    if (!own) throw new Error(strings.llmNoModel);
    return own;
  }
  if (!model || (provider === "openai" && !baseUrl)) throw new Error(strings.llmMissing);
  const options = { model, ...(apiKey ? { apiKey } : {}), ...(baseUrl ? { baseUrl } : {}) };
  switch (provider) {
    case "openai": return llms.openAiCompatible({ ...options, baseUrl });
    case "anthropic": return llms.anthropic(options);
    case "google": return llms.google(options);
  }
}

export function wireLlmPanel(): void {
  const provider = byId<HTMLSelectElement>("llm-provider");
  const [url, model, key] = ["llm-url", "llm-model", "llm-key"].map((id) => byId<HTMLInputElement>(id)) as [HTMLInputElement, HTMLInputElement, HTMLInputElement];
  const state = byId("llm-state");
  provider.replaceChildren(...strings.llmProviders.map(({ value, label }) => {
    const option = make("option", "", label);
    option.value = value;
    return option;
  }));
  const show = (): void => {
    const hosted = provider.value !== "none" && provider.value !== "built-in";
    for (const id of ["llm-url-field", "llm-model-field", "llm-key-field"]) byId(id).hidden = !hosted;
    url.required = provider.value === "openai";
  };
  provider.addEventListener("change", show);
  show();
  state.textContent = strings.llmUnused;
  byId("llm-form").addEventListener("submit", (event) => {
    event.preventDefault();
    void (async () => {
      current = undefined;
      try {
        current = await create(provider.value as Provider, url.value.trim(), model.value.trim(), key.value.trim());
        state.textContent = current ? strings.llmUsed(provider.selectedOptions[0]?.label ?? "", model.value.trim() || provider.value) : strings.llmUnused;
      } catch (error) {
        state.textContent = strings.failed((error as Error).message);
      }
    })();
  });
}
