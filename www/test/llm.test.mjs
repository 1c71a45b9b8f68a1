// foliorank/llm with the real AI SDK and its provider packages against a scripted server on this machine.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { bundleLlm, startLlm } from "./llm-server.mjs";
import { code } from "./source.mjs";

const KEY = "sk-test-0123456789";
const www = join(dirname(fileURLToPath(import.meta.url)), "..");
const SCHEMA = {
  type: "object", properties: { queries: { type: "array", items: { type: "string" } } }, required: ["queries"], additionalProperties: false,
};
const request = { system: "Answer with JSON only.", user: "<positive data-1>\nHow many mills did Holm1 have?\n</positive data-1>", schema: SCHEMA, maxTokens: 50, temperature: 0 };
const never = new AbortController().signal;

let llm;
before(async () => {
  // A module that imports packages by name has to lie where they are found.
  const folder = join(www, "node_modules/.foliorank-test");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `llm-${process.pid}.mjs`);
  writeFileSync(file, await bundleLlm(esbuild, www, false));
  llm = await import(pathToFileURL(file).href);
});

let servers = [];
after(() => Promise.all(servers.map((server) => server.close())));
async function serve(mood) {
  const server = await startLlm(mood);
  servers.push(server);
  return server;
}

const ask = (model, signal = never) => model(request, { signal });

test("an answer comes as the JSON of the schema, with its tokens, and the server sees schema, limit and key", async () => {
  const server = await serve();
  const model = llm.openAiCompatible({ baseUrl: server.baseUrl, model: "m", apiKey: KEY });
  const answer = await ask(model);
  assert.equal(JSON.parse(answer.text).queries.length, 12);
  assert.deepEqual([answer.inputTokens, answer.outputTokens], [100, 10]);
  const [{ body, headers }] = server.requests;
  assert.equal(headers.authorization, `Bearer ${KEY}`);
  assert.deepEqual(body.response_format.json_schema.schema.required, ["queries"]);
  assert.deepEqual([body.model, body.max_tokens, body.temperature, body.messages[0].role], ["m", 50, 0, "system"]);
  assert.deepEqual([model.provider, model.model], [`openai:${server.baseUrl}`, "m"]);
  const { schema: _, ...plain } = request;
  assert.equal(typeof (await model(plain, { signal: never })).text, "string");
  assert.equal(server.requests[1].body.response_format, undefined);
});

test("broken JSON and lies are handed on: the pipeline repairs the one and votes on the other", async () => {
  const server = await serve(() => "broken");
  const answer = await ask(llm.openAiCompatible({ baseUrl: server.baseUrl, model: "m" }));
  assert.deepEqual([answer.text, answer.inputTokens], ["{\"queries\": [", 100]);
  assert.equal(server.requests.length, 1);
});

test("429 waits as long as the server says, and 500 is tried as often as allowed", async () => {
  const busy = await serve((number) => (number === 0 ? "busy" : "perfect"));
  await ask(llm.openAiCompatible({ baseUrl: busy.baseUrl, model: "m" }));
  assert.equal(busy.requests.length, 2);
  assert.ok(busy.requests[1].at - busy.requests[0].at >= 1000);
  const down = await serve(() => "down");
  await assert.rejects(ask(llm.openAiCompatible({ baseUrl: down.baseUrl, model: "m", maxRetries: 2 })), code("llm", /HTTP 500: out of order/));
  assert.equal(down.requests.length, 3);
});

test("a stall ends at the time limit, or when the caller aborts", async () => {
  const server = await serve(() => "stall");
  await assert.rejects(ask(llm.openAiCompatible({ baseUrl: server.baseUrl, model: "m", timeoutMs: 200 })), code("llm", /0\.2 s/));
  const controller = new AbortController();
  const asked = ask(llm.openAiCompatible({ baseUrl: server.baseUrl, model: "m" }), controller.signal);
  setTimeout(() => controller.abort(), 100);
  await assert.rejects(asked, code("aborted"));
});

test("a key that a server repeats is in no answer and no error", async () => {
  const server = await serve((number) => (number === 0 ? "refuse" : "echo"));
  const model = llm.openAiCompatible({ baseUrl: server.baseUrl, model: "m", apiKey: KEY });
  await assert.rejects(ask(model), (error) => {
    assert.match(error.message, /HTTP 401: wrong key: Bearer \*\*\*/);
    assert.equal(JSON.stringify([error.message, error.stack, error.cause ?? null]).includes(KEY), false);
    return error.code === "llm";
  });
  assert.equal(server.requests.length, 1, "a refusal is not tried again");
  assert.match((await ask(model)).text, /Bearer \*\*\*/);
  assert.equal(JSON.stringify(model) === undefined && !String(model).includes(KEY), true);
});

/** Asks for plain text with somebody listening: the texts that came, and how it ended. */
async function listen(model, { signal = never, until } = {}) {
  const texts = [];
  const { schema: _, ...plain } = request;
  const onText = (text) => {
    texts.push(text);
    until?.(texts);
  };
  const ended = await model(plain, { signal, onText }).then((answer) => ({ answer }), (error) => ({ error }));
  return { texts, ...ended };
}

/** Each text goes on where the one before it ended. */
const grows = (texts) => texts.every((text, place) => place === 0 || (text.startsWith(texts[place - 1]) && text.length > texts[place - 1].length));

test("an answer streams to who listens, and is the same answer with its tokens", async () => {
  const server = await serve();
  const model = llm.openAiCompatible({ baseUrl: server.baseUrl, model: "m" });
  const { texts, answer } = await listen(model);
  assert.ok(texts.length > 10 && grows(texts), `${texts.length} texts`);
  assert.equal(texts.at(-1), answer.text);
  assert.deepEqual([answer.inputTokens, answer.outputTokens], [100, 10]);
  const { schema: _, ...plain } = request;
  assert.equal((await model(plain, { signal: never })).text, answer.text);
  assert.deepEqual(server.requests.map(({ body }) => body.stream), [true, undefined]);
  // With a schema, too.
  const seen = [];
  const { text } = await model(request, { signal: never, onText: (one) => seen.push(one) });
  assert.equal(JSON.parse(text).queries.length, 12);
  assert.equal(seen.at(-1), text);
  assert.ok(server.requests[2].body.response_format);
});

for (const mood of ["cut", "unfinished"]) {
  test(`a stream that is ${mood} in the middle rejects, and what came stands`, async () => {
    const server = await serve(() => mood);
    const { texts, error } = await listen(llm.openAiCompatible({ baseUrl: server.baseUrl, model: "m" }));
    assert.ok(texts.length > 5 && grows(texts));
    assert.ok(code("llm")(error), String(error));
    assert.equal(server.requests.length, 1, "what began is not asked for again");
  });
}

test("a stream that stalls ends at the time limit or when the caller aborts, and what came stands", async () => {
  const server = await serve(() => "hang");
  const late = await listen(llm.openAiCompatible({ baseUrl: server.baseUrl, model: "m", timeoutMs: 500 }));
  assert.ok(late.texts.length > 5);
  assert.ok(code("llm", /0\.5 s/)(late.error), String(late.error));
  const controller = new AbortController();
  const model = llm.openAiCompatible({ baseUrl: server.baseUrl, model: "m", parallel: 1 });
  const stopped = await listen(model, { signal: controller.signal, until: ({ length }) => { if (length === 3) controller.abort(); } });
  assert.ok(stopped.texts.length >= 3);
  assert.ok(code("aborted")(stopped.error), String(stopped.error));
  server.feel(() => "perfect");
  assert.ok((await listen(model)).answer, "its place is free again");
});

test("a server that is down is asked again before a stream begins, and a refusal is told", async () => {
  const server = await serve((number) => (number === 0 ? "down" : "perfect"));
  assert.ok((await listen(llm.openAiCompatible({ baseUrl: server.baseUrl, model: "m" }))).answer);
  assert.equal(server.requests.length, 2);
  server.feel(() => "refuse");
  const { texts, error } = await listen(llm.openAiCompatible({ baseUrl: server.baseUrl, model: "m", apiKey: KEY }));
  assert.ok(code("llm", /HTTP 401: wrong key: Bearer \*\*\*/)(error), String(error));
  assert.deepEqual(texts, []);
});

test("a key that a server repeats in a stream is never seen, not even its first letters at a time", async () => {
  const server = await serve(() => "echo");
  const { texts, answer } = await listen(llm.openAiCompatible({ baseUrl: server.baseUrl, model: "m", apiKey: KEY }));
  assert.equal(answer.text, '{"key": "Bearer ***"}');
  assert.ok(texts.length > 1);
  for (const text of texts) assert.ok(answer.text.startsWith(text), text);
});

test("a key does not leave this machine unencrypted, nor hide in a URL", async () => {
  const server = await serve();
  // 0.0.0.0 reaches this machine without being one of its loopback names.
  const elsewhere = server.baseUrl.replace("127.0.0.1", "0.0.0.0");
  assert.throws(() => llm.openAiCompatible({ baseUrl: elsewhere, model: "m", apiKey: KEY }), (error) => code("invalid_argument", /https/)(error) && !error.message.includes(KEY));
  await ask(llm.openAiCompatible({ baseUrl: elsewhere, model: "m" }));
  assert.equal(server.requests[0].headers.authorization, undefined);
  for (const baseUrl of ["http://me:secret@example.org/v1", "https://example.org/?key=secret", "nowhere", "ftp://example.org"]) {
    assert.throws(() => llm.openAiCompatible({ baseUrl, model: "m" }), (error) => code("invalid_argument")(error) && !error.message.includes("secret"));
  }
});

test("no more calls are on their way than allowed, and one that waits can be aborted", async () => {
  const server = await serve(() => "stall");
  const model = llm.openAiCompatible({ baseUrl: server.baseUrl, model: "m", parallel: 2 });
  const controllers = [0, 1, 2, 3].map(() => new AbortController());
  const asked = controllers.map(({ signal }) => ask(model, signal).catch((error) => error.code));
  /** So many requests, and time for one too many. */
  const arrived = async (count) => {
    while (server.requests.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 200));
  };
  await arrived(2);
  assert.equal(server.requests.length, 2);
  controllers[3].abort();
  assert.equal(await asked[3], "aborted");
  controllers[0].abort();
  await arrived(3);
  assert.equal(server.requests.length, 3, "the third took the place of the first");
  for (const controller of controllers) controller.abort();
  assert.deepEqual(await Promise.all(asked), ["aborted", "aborted", "aborted", "aborted"]);
});

test("Anthropic's and Google's packages are asked at the place that is named", async () => {
  for (const [name, path] of [["anthropic", "/v1/messages"], ["google", "/v1/models/m:generateContent"]]) {
    const server = await serve(() => "refuse");
    const model = llm[name]({ model: "m", apiKey: KEY, baseUrl: server.baseUrl, maxRetries: 0 });
    // The scripted server speaks OpenAI's language only; that it was asked, and how, is the point.
    await assert.rejects(ask(model), (error) => error.code === "llm" && !error.message.includes(KEY));
    const [{ headers, url }] = server.requests;
    assert.equal(headers[name === "google" ? "x-goog-api-key" : "x-api-key"], KEY);
    assert.equal(url, path);
  }
});

test("an image goes before the text, whole and as what it is, to each provider in its own way", async () => {
  const image = { data: new Uint8Array([0xff, 0xd8, 0xff, 0xe0]), mediaType: "image/jpeg", width: 2, height: 1 };
  const asked = { ...request, images: [image, { ...image, data: new Uint8Array([1]), mediaType: "image/png" }] };
  const [jpeg, png] = ["/9j/4A==", "AQ=="];
  const server = await serve();
  const answer = await llm.openAiCompatible({ baseUrl: server.baseUrl, model: "m" })(asked, { signal: never });
  assert.equal(JSON.parse(answer.text).queries.length, 12);
  const text = { type: "text", text: request.user };
  const url = (type, data) => ({ type: "image_url", image_url: { url: `data:${type};base64,${data}` } });
  assert.deepEqual(server.requests[0].body.messages[1].content, [url("image/jpeg", jpeg), url("image/png", png), text]);

  const sent = async (name) => {
    const refusing = await serve(() => "refuse");
    await assert.rejects(llm[name]({ model: "m", apiKey: KEY, baseUrl: refusing.baseUrl, maxRetries: 0 })(asked, { signal: never }));
    return refusing.requests[0].body;
  };
  const source = (media_type, data) => ({ type: "image", source: { type: "base64", media_type, data } });
  assert.deepEqual((await sent("anthropic")).messages[0].content, [source("image/jpeg", jpeg), source("image/png", png), text]);
  const inline = (mimeType, data) => ({ inlineData: { mimeType, data } });
  assert.deepEqual((await sent("google")).contents[0].parts, [inline("image/jpeg", jpeg), inline("image/png", png), { text: request.user }]);
});

test("any model of the AI SDK will do, and the browser's own where there is one", async () => {
  const { MockLanguageModelV3 } = await import("ai/test");
  const mock = new MockLanguageModelV3({
    doGenerate: { content: [{ type: "text", text: "{\"queries\": []}" }], finishReason: { unified: "stop", raw: "stop" }, usage: { inputTokens: { total: 3 }, outputTokens: { total: 4 } }, warnings: [] },
  });
  const answer = await ask(llm.fromAiSdk(mock));
  assert.deepEqual(answer, { text: "{\"queries\": []}", inputTokens: 3, outputTokens: 4 });
  assert.equal(await llm.builtIn(), undefined);
  const asked = [];
  globalThis.LanguageModel = {
    availability: async () => "available",
    create: async ({ initialPrompts }) => ({
      inputUsage: 7, destroy: () => asked.push("destroyed"),
      prompt: async (text, { responseConstraint }) => { asked.push(initialPrompts[0].content, text, responseConstraint); return "{}"; },
    }),
  };
  try {
    const model = await llm.builtIn();
    assert.deepEqual(await ask(model), { text: "{}", inputTokens: 7, outputTokens: 0 });
    assert.deepEqual(asked, [request.system, request.user, SCHEMA, "destroyed"]);
    const seeing = { ...request, images: [{ data: new Uint8Array([1]), mediaType: "image/png", width: 1, height: 1 }] };
    await assert.rejects(model(seeing, { signal: never }), code("llm", /reads text only/));
    // Without promptStreaming there is nothing to listen to; the answer comes all the same.
    assert.deepEqual((await listen(model)).answer.text, "{}");
    const { create } = globalThis.LanguageModel;
    globalThis.LanguageModel.create = async (options) => ({ ...await create(options), promptStreaming: () => (async function* () { yield "one "; yield "two"; })() });
    const { texts, answer: heard } = await listen(model);
    assert.deepEqual([texts, heard.text], [["one ", "one two"], "one two"]);
  } finally {
    delete globalThis.LanguageModel;
  }
});
