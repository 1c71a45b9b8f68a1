// The one place from which screen readers are told what happens. Big steps only.
import { byId } from "./dom.js";

let said = "";

export function say(text: string): void {
  if (text === said) return;
  said = text;
  byId("status").textContent = text;
}
