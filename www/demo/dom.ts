// Small helpers for the page. Text goes in through textContent only, never as HTML.
import { strings } from "./strings.js";

export function byId<T extends HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element as T;
}

export const all = <T extends HTMLElement = HTMLElement>(selector: string, root: ParentNode = document): T[] =>
  [...root.querySelectorAll<T>(selector)];

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K, className = "", ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** A button that sends no form. */
export function makeButton(className: string, label: string | Node, onClick: () => void): HTMLButtonElement {
  const button = make("button", className, label);
  button.type = "button";
  button.addEventListener("click", onClick);
  return button;
}

/** Puts the words of strings.ts where index.html names them. */
export function fillStrings(): void {
  const word = (name: string | undefined): string => {
    const value = (strings as Record<string, unknown>)[name ?? ""];
    if (typeof value !== "string") throw new Error(`strings.ts has no plain string ${name}`);
    return value;
  };
  for (const element of all("[data-text]")) element.textContent = word(element.dataset["text"]);
  for (const element of all("[data-label]")) element.setAttribute("aria-label", word(element.dataset["label"]));
  for (const element of all<HTMLInputElement>("[data-placeholder]")) element.placeholder = word(element.dataset["placeholder"]);
}
