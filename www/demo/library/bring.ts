// Files dropped anywhere on the page, and text or files pasted into it.
import { byId } from "../dom.js";

export function wireDrop(onFiles: (files: readonly File[]) => void): void {
  const overlay = byId("overlay");
  const carriesFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
  addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    overlay.hidden = false;
  });
  addEventListener("dragleave", (event) => { if (event.relatedTarget === null) overlay.hidden = true; });
  addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    overlay.hidden = true;
    onFiles([...(event.dataTransfer?.files ?? [])]);
  });
}

export function wirePaste(onFiles: (files: readonly File[]) => void, onText: (text: string) => void): void {
  const [open, panel, text] = [byId("paste-open"), byId("paste"), byId<HTMLTextAreaElement>("paste-text")];
  const toggle = (shown: boolean): void => {
    panel.hidden = !shown;
    open.setAttribute("aria-expanded", String(shown));
  };
  open.addEventListener("click", () => {
    toggle(panel.hidden === true);
    if (!panel.hidden) text.focus();
  });
  byId("paste-add").addEventListener("click", () => {
    onText(text.value);
    text.value = "";
    toggle(false);
    open.focus();
  });
  // Pasting anywhere outside a field means the same.
  addEventListener("paste", (event) => {
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement) return;
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) onFiles(files);
    else onText(event.clipboardData?.getData("text/plain") ?? "");
  });
}
