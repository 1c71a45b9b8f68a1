// An OpenAI-compatible server for tests: it knows pages of the form "Holm3 had 12 water mills on its river in 2021.", and answers
// truthfully or in one of several moods. It logs every request.
import { createServer } from "node:http";

const NOUNS = ["schools", "bridges", "farms", "wells", "chapels", "inns", "barns", "shops", "boats", "orchards", "kilns", "towers"];

/** What stands between marker lines. */
function inside(user) {
  const lines = [];
  let close;
  for (const line of user.split("\n")) {
    if (close !== undefined) {
      if (line === close) close = undefined;
      else lines.push(line);
    } else if (line.startsWith("<") && line.includes(" data-")) close = line.replace("<", "</");
  }
  return lines.join("\n");
}

/** The truth about what is asked, as JSON; `lies` calls everything answerable. */
export function truth(user, schema, lies = false) {
  const data = inside(user);
  const lines = data.split("\n").map((line) => /^\d+\. (.*)$/.exec(line)?.[1]).filter((line) => line !== undefined);
  const town = (line) => /Holm\d+/.exec(line)?.[0] ?? "Holm0";
  const properties = JSON.stringify(schema?.properties ?? {});
  if (properties.includes("verdicts")) {
    const answerable = (line) => lies || (line.includes("mills") && line.includes("2021"));
    return { verdicts: lines.map((line, at) => ({ number: at + 1, evidence: "", answerable: answerable(line) })) };
  }
  if (properties.includes("plan") && user.includes("attached as an image")) {
    // Three towns are what every image shows.
    return { queries: [0, 1, 2].map((at) => ({ plan: at + 1, query: `How many mills did Holm${at} have in 2021?`, answer: "ten" })) };
  }
  if (properties.includes("plan")) {
    return { queries: lines.map((line, at) => ({ plan: at + 1, query: `How many mills did ${town(line)} have in 2021?`, answer: "water mills" })) };
  }
  if (properties.includes("number")) {
    return { queries: lines.map((line, at) => ({ number: at + 1, query: `What number of mills stood in ${town(line)} in 2021?` })) };
  }
  return { queries: NOUNS.map((noun) => data.trim().replace("mills", noun)) };
}

/** The schema that stands in the instructions, if one does. */
export function inWords({ messages }) {
  const [, schema] = messages[0].content.split("It must follow this JSON Schema:\n");
  return schema && JSON.parse(schema);
}

const wait = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/**
 * Writes `content` as OpenAI's server-sent events, a few letters each, `pauseMs` apart. `end`: `whole`; in the middle of it `cut` breaks the
 * connection, `unfinished` ends it as if all were well, and `hang` says nothing more.
 */
export async function streamAnswer(response, content, { end = "whole", pauseMs = 0, headers = {} } = {}) {
  response.writeHead(200, { "content-type": "text/event-stream", ...headers });
  const send = (delta, finish_reason = null, rest = {}) => response.write(`data: ${JSON.stringify({
    id: "x", object: "chat.completion.chunk", created: 0, model: "scripted", choices: [{ index: 0, delta, finish_reason }], ...rest,
  })}\n\n`);
  const pieces = content.match(/.{1,7}/gsu) ?? [];
  const shown = end === "whole" ? pieces : pieces.slice(0, Math.ceil(pieces.length / 2));
  for (const piece of shown) {
    send({ role: "assistant", content: piece });
    await wait(pauseMs);
  }
  if (end === "hang") return;
  if (end === "cut") {
    response.destroy();
    return;
  }
  if (end === "whole") send({}, "stop", { usage: { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 } });
  response.end(end === "whole" ? "data: [DONE]\n\n" : "");
}

/**
 * `mood(number, body)` gives, or promises, `perfect`, `lies`, `broken`, `busy`, `down`, `stall`, `refuse` or `echo` for the request with
 * that number; for an answer that is streamed also `cut`, `unfinished` or `hang`. A number is the status of a refusal. `fenced` is JSON
 * among words, and `ignore` is words alone unless the schema stands in the instructions.
 */
export async function startLlm(mood = () => "perfect") {
  const requests = [];
  const server = createServer((request, response) => {
    const cors = { "access-control-allow-origin": "*", "access-control-allow-headers": "*" };
    if (request.method === "OPTIONS") {
      response.writeHead(204, cors).end();
      return;
    }
    let text = "";
    request.on("data", (piece) => { text += piece; });
    request.on("end", async () => {
      const body = JSON.parse(text);
      const number = requests.push({ body, headers: request.headers, url: request.url, at: Date.now() }) - 1;
      const now = await server.mood(number, body);
      const send = (status, value, extra = {}) =>
        response.writeHead(status, { ...cors, "content-type": "application/json", ...extra }).end(JSON.stringify(value));
      const failed = (status, message, extra) => send(status, { error: { message, type: "test", code: null, param: null } }, extra);
      if (now === "busy") return failed(429, "slow down", { "retry-after": "1" });
      if (now === "down") return failed(500, "out of order", { "retry-after": "0" });
      if (now === "refuse") return failed(401, `wrong key: ${request.headers.authorization}`);
      if (typeof now === "number") return failed(now, "not with this response_format", { "retry-after": "0" });
      if (now === "stall") return undefined;
      const asked = body.messages?.at(-1).content ?? "";
      const user = typeof asked === "string" ? asked : asked.find(({ type }) => type === "text").text;
      const schema = body.response_format?.json_schema?.schema ?? (body.messages && inWords(body));
      const told = JSON.stringify(truth(user, schema, now === "lies"));
      const moody = { broken: "{\"queries\": [", echo: `{"key": "${request.headers.authorization}"}`, fenced: `Sure:\n\`\`\`json\n${told}\n\`\`\`\nDone.` };
      const content = now === "ignore" && !inWords(body) ? "I would ask about mills." : moody[now] ?? told;
      if (body.stream) {
        const end = ["cut", "unfinished", "hang"].includes(now) ? now : "whole";
        return void streamAnswer(response, content, { end, headers: cors });
      }
      return send(200, {
        id: "x", object: "chat.completion", created: 0, model: body.model,
        choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
        usage: { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 },
      });
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.mood = mood;
  return {
    baseUrl: `http://127.0.0.1:${server.address().port}/v1`, requests,
    feel: (next) => { server.mood = next; },
    close: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    }),
  };
}

/** The sources of foliorank/llm in one file, with the SDK and its providers where `bundled`, else by name. */
export async function bundleLlm({ build }, www, bundled) {
  const { outputFiles } = await build({
    absWorkingDir: www, entryPoints: ["src/llm/index.ts"], bundle: true, format: "esm", target: "es2022", write: false, logLevel: "silent",
    ...(bundled ? { platform: "browser" } : { packages: "external" }),
  });
  return outputFiles[0].text;
}
