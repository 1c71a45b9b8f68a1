// A language model behind the test's own server, in OpenAI's words: answers with what the test says, and keeps what it was asked.
import { streamAnswer } from "../../www/test/llm-server.mjs";
import * as setUp from "./set-up.mjs";

export const server = () => setUp.server;
const PATH = "/v1/chat/completions";

/**
 * A route. `asked` gets the key and the body of every request; `say(body, number)` gives the text of the answer, or `{ text, end, pauseMs }`
 * with how its stream is to go.
 */
export const answer = (asked, say) => async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = JSON.parse(Buffer.concat(parts).toString());
  const number = asked.push({ authorization: request.headers.authorization, body }) - 1;
  const said = await say(body, number);
  const { text, ...how } = typeof said === "string" ? { text: said } : said;
  if (body.stream) return streamAnswer(response, text, how);
  return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({
    id: "1", object: "chat.completion", created: 0, model: "scripted", usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: text } }],
  }));
};

/** Everything that a request says. */
export const browserText = ({ messages }) => messages.map(({ content }) => (typeof content === "string" ? content : JSON.stringify(content))).join("\n");

/** Sets the scripted model up in the page's Settings, as a user would. Gives the requests that come. */
export async function useLlm(t, page, say, key = "sk-very-secret") {
  const asked = [];
  server().routes[PATH] = answer(asked, say);
  t.after(() => { delete server().routes[PATH]; });
  await page.click('.views a[href="#settings"]');
  await page.selectOption("#llm-provider", "openai");
  await page.fill("#llm-url", `${server().url}/v1`);
  await page.fill("#llm-model", "scripted");
  await page.fill("#llm-key", key);
  await page.click("#llm-form button[type=submit]");
  await page.waitForFunction(() => /^In use: OpenAI-compatible, scripted\.$/.test(document.querySelector("#llm-state").textContent));
  return asked;
}

/** All that the page has kept anywhere, and its address. */
export const keptText = (page) => page.evaluate(async () => {
  const stores = [];
  for (const { name } of await indexedDB.databases()) {
    const database = await new Promise((resolve) => { const request = indexedDB.open(name); request.onsuccess = () => resolve(request.result); });
    for (const store of database.objectStoreNames) {
      stores.push(await new Promise((resolve) => { const request = database.transaction(store).objectStore(store).getAll(); request.onsuccess = () => resolve(request.result); }));
    }
    database.close();
  }
  const cached = [];
  for (const name of await caches.keys()) cached.push(...(await (await caches.open(name)).keys()).map(({ url }) => url));
  return JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href, document.cookie, cached, stores]);
});
