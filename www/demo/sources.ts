// Where pages come from: the sample, dropped and chosen files, pasted text. Keeps the list of sources and says which were skipped, and why.
import { byId, make } from "./dom.js";
import { readFile, textSource } from "./files.js";
import { FileProblem, type Page, type Source } from "./pages.js";
import sampleText from "./sample.md";
import { strings } from "./strings.js";

export class Sources {
  readonly #onChange: (pages: readonly Page[]) => void;
  readonly #busy: (reading: string | undefined) => void;
  #sources: Source[] = [Sources.#sample()];
  #pasted = 0;

  constructor(onChange: (pages: readonly Page[]) => void, busy: (reading: string | undefined) => void) {
    this.#onChange = onChange;
    this.#busy = busy;
    this.#wireFiles();
    this.#wirePaste();
  }

  static #sample(): Source {
    return { ...textSource(strings.sampleName, sampleText), sample: true };
  }

  get pages(): readonly Page[] {
    return this.#sources.flatMap(({ pages }) => pages);
  }

  render(): void {
    const chips = this.#sources.map((source) => {
      const remove = make("button", "remove", "×");
      remove.type = "button";
      remove.setAttribute("aria-label", strings.removeFile(source.name));
      remove.addEventListener("click", () => this.#set(this.#sources.filter((other) => other !== source)));
      const name = make("span", "source-name", source.name);
      name.title = source.name;
      const tag = make("span", "source-count", source.sample ? `${strings.sampleTag} · ${source.pages.length}` : String(source.pages.length));
      return make("li", "source", name, tag, remove);
    });
    if (this.#sources.length === 0) {
      const back = make("button", "button", strings.sampleBack);
      back.type = "button";
      back.addEventListener("click", () => this.#set([Sources.#sample()]));
      chips.push(make("li", "", back));
    }
    byId("sources").replaceChildren(...chips);
    this.#onChange(this.pages);
  }

  #set(sources: Source[]): void {
    this.#sources = sources;
    this.render();
  }

  /** New pages take the place of the sample. */
  #add(added: Source[]): void {
    if (added.length > 0) this.#set([...this.#sources.filter(({ sample }) => !sample), ...added]);
  }

  async #read(files: readonly File[]): Promise<void> {
    const problems: string[] = [];
    const added: Source[] = [];
    for (const file of files) {
      this.#busy(file.name);
      try {
        const source = await readFile(file);
        added.push(source);
        if (source.note) problems.push(source.note);
      } catch (error) {
        problems.push(strings.fileSkipped(file.name, error instanceof FileProblem ? error.message : strings.fileUnreadable));
      }
    }
    this.#busy(undefined);
    byId("problems").replaceChildren(...problems.map((problem) => make("li", "", problem)));
    this.#add(added);
  }

  #wireFiles(): void {
    const input = byId<HTMLInputElement>("files");
    input.addEventListener("change", () => {
      void this.#read([...(input.files ?? [])]);
      // So that the same file can be chosen again.
      input.value = "";
    });
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
      void this.#read([...(event.dataTransfer?.files ?? [])]);
    });
  }

  #wirePaste(): void {
    const [open, panel, text] = [byId("paste-open"), byId("paste"), byId<HTMLTextAreaElement>("paste-text")];
    const toggle = (shown: boolean): void => {
      panel.hidden = !shown;
      open.setAttribute("aria-expanded", String(shown));
    };
    const add = (pasted: string): void => {
      if (!pasted.trim()) return;
      this.#pasted += 1;
      this.#add([textSource(strings.pastedName(this.#pasted), pasted)]);
    };
    open.addEventListener("click", () => {
      toggle(panel.hidden === true);
      if (!panel.hidden) text.focus();
    });
    byId("paste-add").addEventListener("click", () => {
      add(text.value);
      text.value = "";
      toggle(false);
      open.focus();
    });
    // Pasting anywhere outside a field means the same.
    addEventListener("paste", (event) => {
      if (event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement) return;
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length > 0) void this.#read(files);
      else add(event.clipboardData?.getData("text/plain") ?? "");
    });
  }
}
