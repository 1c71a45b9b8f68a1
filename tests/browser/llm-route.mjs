// A language model behind the test's own server, in OpenAI's words: answers with what the test says, and keeps what it was asked.
import * as setUp from "./set-up.mjs";

export const server = () => setUp.server;

/** A route. `asked` gets the key and the body of every request; `say` gives the text of the answer. */
export const answer = (asked, say) => async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  asked.push({ authorization: request.headers.authorization, body: JSON.parse(Buffer.concat(parts).toString()) });
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({
    id: "1", object: "chat.completion", created: 0, model: "scripted", usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: say() } }],
  }));
};

/** Everything that a request says. */
export const browserText = ({ messages }) => messages.map(({ content }) => (typeof content === "string" ? content : JSON.stringify(content))).join("\n");
