// What makes the page work without a network: registers the service worker, which keeps what the page loads, and makes sure that it
// has also seen what a worker loaded before it was there. Models are kept by the package itself.
import facts from "build:facts";

/** It lies beside the package, above the demo, because it must see the package's workers too. */
const SCRIPT = new URL("../sw.js", document.baseURI);

export const canWorkOffline = (): boolean => "serviceWorker" in navigator && isSecureContext;

export async function registerOffline(): Promise<void> {
  if (!canWorkOffline()) return;
  try {
    await navigator.serviceWorker.register(SCRIPT, { scope: "../", updateViaCache: "none" });
  } catch {
    // A private window, or a host that serves it with another type: the page works all the same, only not offline.
  }
}

/** Resolves when the service worker sees what this page loads, or after a while without one. */
async function controlled(): Promise<boolean> {
  if (!canWorkOffline()) return false;
  if (navigator.serviceWorker.controller) return true;
  return Promise.race([
    new Promise<boolean>((resolve) => navigator.serviceWorker.addEventListener("controllerchange", () => resolve(true), { once: true })),
    new Promise<boolean>((resolve) => { setTimeout(resolve, 10_000, false); }),
  ]);
}

async function load(paths: readonly string[], onEach: (done: number) => void = () => undefined): Promise<void> {
  for (const [index, path] of paths.entries()) {
    const response = await fetch(new URL(path, document.baseURI));
    if (!response.ok) throw new Error(`${path}: the server answered ${response.status}`);
    await response.arrayBuffer();
    onEach(index + 1);
  }
}

/** Once the model runs: the WASM file that its worker loaded. From the HTTP cache, as a rule. */
export async function keep(variant: string): Promise<void> {
  if (!await controlled()) return;
  await load([`../wasm/${variant}/foliorank.js`, `../wasm/${variant}/foliorank_bg.wasm`]).catch(() => undefined);
}

/** Loads what else the page can need: the readers of PDF, DOCX and pictures. */
export async function keepEverything(onProgress: (share: number) => void): Promise<void> {
  await controlled();
  await load(facts.extras, (done) => onProgress(done / facts.extras.length));
}
