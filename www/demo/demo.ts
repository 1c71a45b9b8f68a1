// The page itself: joins the library, the model and the views.
import { followModel } from "./badge.js";
import { followTheme } from "./choices.js";
import { byId, fillStrings } from "./dom.js";
import { Library } from "./library/library.js";
import { LibraryPanel } from "./library/panel.js";
import { Model } from "./model.js";
import { registerOffline } from "./offline.js";
import { RerankView } from "./rerank/view.js";
import { startRouter } from "./router.js";
import { SettingsView } from "./settings/view.js";

followTheme();
fillStrings();
const library = new Library();
const model = new Model();
const rerank = new RerankView(library, model);
const settings = new SettingsView(model);
model.onDrop(() => rerank.stop());
new LibraryPanel(library, (page) => {
  library.look(page);
  if (document.body.dataset["showing"] === "rerank") rerank.open(page);
});
byId("sample-back").addEventListener("click", () => library.useSample());
followModel(model);
startRouter((view) => { if (view === "settings") settings.refresh(); });
// After the page is usable: the worker's own downloads must not stand in its way.
if (document.readyState === "complete") void registerOffline();
else addEventListener("load", () => void registerOffline());
