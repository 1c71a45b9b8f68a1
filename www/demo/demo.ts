// The page itself: joins the library, the model and the views.
import { AskView } from "./ask/view.js";
import { followModel } from "./badge.js";
import { BenchView } from "./bench/view.js";
import { followTheme } from "./choices.js";
import { CompareView } from "./compare/view.js";
import { byId, fillStrings } from "./dom.js";
import { Search } from "./find/search.js";
import { Library } from "./library/library.js";
import { LibraryPanel } from "./library/panel.js";
import { currentLlm, wireLlmPanel } from "./llm/panel.js";
import { Model } from "./model.js";
import { NegativesView } from "./negatives/view.js";
import { registerOffline } from "./offline.js";
import { PageDialog } from "./page-dialog.js";
import { RerankView } from "./rerank/view.js";
import { startRouter } from "./router.js";
import { SettingsView } from "./settings/view.js";

followTheme();
fillStrings();
const library = new Library();
const model = new Model();
const rerank = new RerankView(library, model);
const settings = new SettingsView(model);
const shared = { search: new Search(library, model), model, dialog: new PageDialog(), llm: currentLlm };
const [ask, compare] = [new AskView(shared), new CompareView(shared)];
const negatives = new NegativesView({ library, model, llm: currentLlm });
wireLlmPanel();
if (new URLSearchParams(location.search).has("bench")) {
  new BenchView();
  byId("bench-link").hidden = false;
  if (location.hash === "") location.replace("#bench");
}
model.onDrop(() => { for (const view of [rerank, ask, compare, negatives]) view.stop(); });
new LibraryPanel(library, (page) => {
  library.look(page);
  if (document.body.dataset["showing"] === "rerank") rerank.open(page);
});
library.restore();
byId("sample-back").addEventListener("click", () => library.useSample());
followModel(model);
startRouter((view) => {
  if (view === "settings") settings.refresh();
  if (view === "ask") void ask.refresh();
  if (view === "compare") void compare.refresh();
  if (view === "negatives") negatives.refresh();
});
document.body.dataset["ready"] = "";
// After the page is usable: the worker's own downloads must not stand in its way.
if (document.readyState === "complete") void registerOffline();
else addEventListener("load", () => void registerOffline());
