// What is known of the running model, on every view: the badge in the header, why this device computes, and what went wrong and was survived.
import { chosen, DEFAULT_MODEL } from "./choices.js";
import { byId, make } from "./dom.js";
import type { Model } from "./model.js";
import { strings } from "./strings.js";

export function followModel(model: Model): void {
  const show = (): void => {
    const { info } = model;
    const badge = byId("badge");
    badge.dataset["kind"] = info?.device.kind ?? "none";
    byId("badge-text").textContent = info ? strings.badgeKind[info.device.kind] : strings.badgeNone;
    badge.title = info?.device.reason ?? "";
    byId("reason").textContent = info?.device.reason ?? (chosen().model === DEFAULT_MODEL ? strings.defaultModelNote : strings.modelNote);
    byId("model-info").textContent = info ? strings.modelInfo(info.model, info.licence, info.threads) : "";
    const warnings = info?.warnings.filter((warning) => warning !== info.device.reason) ?? [];
    byId("warnings").replaceChildren(...warnings.map((warning) => make("li", "", warning)));
  };
  model.onChange(show);
  show();
}
