// axe-core in a page of the tests.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as setUp from "./set-up.mjs";

const require = createRequire(join(dirname(fileURLToPath(import.meta.url)), "../../www/package.json"));
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** A context whose pages have axe-core, which their own rules would keep out. Nothing moves: a colour half way to another is no finding. */
export async function axeContext(t) {
  const context = await setUp.browser.newContext({ bypassCSP: true, reducedMotion: "reduce", viewport: { width: 1280, height: 860 } });
  t.after(() => context.close());
  await context.addInitScript(axe);
  return context;
}

/** Serious and critical violations of what is shown now. */
export const violations = (page) => page.evaluate(async () => {
  const { violations: found } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
  const told = ({ target, any }) => `${target} ${any.map(({ message }) => message).join(" ")}`;
  return found.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => `${id}: ${nodes.map(told).join(", ")}`);
});
