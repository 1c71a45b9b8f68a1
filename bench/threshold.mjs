// From which score on the demo answers: its questions with and without an answer in the samples, asked in the demo itself in Chromium on the
// CPU with the default model. Prints the score of each, and how many are told apart at which threshold. Needs www/dist and the models.
//   node bench/threshold.mjs
import { launch } from "../tests/browser/chromium.mjs";
import { startServer } from "../tests/browser/server.mjs";
import { ANSWERABLE, UNANSWERABLE } from "./threshold-questions.mjs";

const THRESHOLDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/** The best passage's score as the page shows it, and its sentence. */
async function ask(page, question) {
  const before = await page.locator("#ask-work").evaluate(({ dataset }) => Number(dataset.done ?? 0));
  await page.fill("#question", question);
  await page.click("#ask-run");
  await page.waitForFunction((before) => Number(document.querySelector("#ask-work").dataset.done) > before, before);
  if (await page.textContent(".nothing", { timeout: 1 }).catch(() => "")) return { score: 0, sentence: "" };
  const shown = await page.locator(".quote-foot .hint").first().textContent();
  // Below a thousandth it is shown as such.
  return { score: shown.includes("<") ? 0 : Number(/[\d.]+$/.exec(shown)[0]), sentence: await page.locator(".quote mark").first().textContent() };
}

const server = await startServer();
const browser = await launch();
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(`${server.url}/demo/?device=cpu#ask`);
  await page.getByRole("button", { name: "a PDF" }).click();
  await page.waitForFunction(() => document.querySelectorAll(".doc").length === 2);
  await page.selectOption("#threshold", "0");
  const rows = [];
  for (const [question, words] of ANSWERABLE) {
    const { score, sentence } = await ask(page, question);
    rows.push({ question, score, answerable: true, right: words.test(sentence) });
  }
  for (const question of UNANSWERABLE) rows.push({ question, answerable: false, right: false, ...await ask(page, question) });

  for (const { question, score, answerable, right } of [...rows].sort((a, b) => b.score - a.score)) {
    console.log(`${score.toFixed(3)}  ${answerable ? (right ? "answered, rightly" : "answered, wrongly") : "no answer       "}  ${question}`);
  }
  const [yes, no] = [rows.filter(({ answerable }) => answerable), rows.filter(({ answerable }) => !answerable)];
  console.log(`\nThe sentence shown first holds the answer for ${yes.filter(({ right }) => right).length} of ${yes.length}.\n`);
  console.log("| threshold | answered of 20 that can be | refused of 20 that cannot | told apart of 40 |\n|---|---|---|---|");
  for (const threshold of THRESHOLDS) {
    const [kept, refused] = [yes.filter(({ score }) => score >= threshold).length, no.filter(({ score }) => score < threshold).length];
    console.log(`| ${threshold} | ${kept} | ${refused} | ${kept + refused} |`);
  }
} finally {
  await browser.close();
  await server.close();
}
