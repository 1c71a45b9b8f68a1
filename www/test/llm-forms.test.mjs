// Servers that take a JSON Schema, only JSON, or neither: what foliorank/llm asks them for, and how often.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { bundleLlm, inWords, startLlm } from "./llm-server.mjs";
import { code } from "./source.mjs";

const www = join(dirname(fileURLToPath(import.meta.url)), "..");
const SCHEMA = {
  type: "object", properties: { queries: { type: "array", items: { type: "string" } } }, required: ["queries"], additionalProperties: false,
};
const request = { system: "Answer with JSON only.", user: "<positive data-1>\nHow many mills did Holm1 have?\n</positive data-1>", schema: SCHEMA, maxTokens: 50, temperature: 0 };
const { schema: _, ...plain } = request;
const never = new AbortController().signal;

let llm;
before(async () => {
  const folder = join(www, "node_modules/.foliorank-test");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `llm-forms-${process.pid}.mjs`);
  writeFileSync(file, await bundleLlm(esbuild, www, false));
  llm = await import(pathToFileURL(file).href);
});

const servers = [];
after(() => Promise.all(servers.map((server) => server.close())));
async function serve(mood) {
  const server = await startLlm(mood);
  servers.push(server);
  return server;
}

const formOf = (body) => ({ json_schema: "schema", json_object: "object" })[body.response_format?.type] ?? "words";
const forms = ({ requests }) => requests.map(({ body }) => formOf(body));
const model = (server, more) => llm.openAiCompatible({ baseUrl: server.baseUrl, model: "m", ...more });
/** Whole, or streamed to who listens. */
const ways = { whole: () => ({}), streamed: () => ({ onText: () => undefined }) };

for (const [way, more] of Object.entries(ways)) {
  const ask = (asked) => asked(request, { signal: never, ...more() });

  for (const status of [400, 422, 500, 501]) {
    test(`a server that refuses the schema with ${status} is asked for an object and never for the schema again, ${way}`, async () => {
      const server = await serve((_number, body) => (formOf(body) === "schema" ? status : "perfect"));
      const asked = model(server);
      for (let count = 0; count < 3; count += 1) {
        const answer = await ask(asked);
        assert.equal(JSON.parse(answer.text).queries.length, 12);
        assert.deepEqual([answer.inputTokens, answer.outputTokens], [100, 10], "the refusal cost nothing");
      }
      assert.deepEqual(forms(server), ["schema", "object", "object", "object"]);
      assert.equal(inWords(server.requests[0].body), undefined);
      assert.deepEqual(inWords(server.requests[1].body), SCHEMA);
      assert.ok(server.requests[1].body.messages[0].content.startsWith("Answer with JSON only.\n\n"));
    });
  }

  test(`a server that refuses every format is asked in words, ${way}`, async () => {
    const server = await serve((_number, body) => (formOf(body) === "words" ? "fenced" : 400));
    const asked = model(server);
    for (let count = 0; count < 2; count += 1) assert.match((await ask(asked)).text, /^Sure:\n```json\n\{"queries":.*\n```\nDone\.$/s);
    assert.deepEqual(forms(server), ["schema", "object", "words", "words"]);
    assert.deepEqual(inWords(server.requests[3].body), SCHEMA);
  });

  test(`a server that refuses in every form is asked once in each, and its words are told, ${way}`, async () => {
    const server = await serve(() => 501);
    await assert.rejects(ask(model(server)), code("llm", /HTTP 501: not with this response_format/));
    assert.deepEqual(forms(server), ["schema", "object", "words"]);
  });

  test(`a form that has worked is not blamed for a later refusal, ${way}`, async () => {
    const server = await serve((number) => (number === 0 ? "perfect" : 400));
    const asked = model(server);
    await ask(asked);
    await assert.rejects(ask(asked), code("llm", /HTTP 400/));
    assert.deepEqual(forms(server), ["schema", "schema"]);
  });

  test(`a server that ignores the schema is told it in words from then on, ${way}`, async () => {
    const server = await serve(() => "ignore");
    const asked = model(server);
    assert.equal((await ask(asked)).text, "I would ask about mills.", "paid for, and handed on");
    assert.equal(JSON.parse((await ask(asked)).text).queries.length, 12);
    await ask(asked);
    assert.deepEqual(forms(server), ["schema", "words", "words"]);
  });
}

test("calls at once that are refused learn from one another, and the slower ones do not go back", async () => {
  const server = await serve((_number, body) => (formOf(body) === "words" ? "perfect" : 422));
  const asked = model(server);
  const ask = () => asked(request, { signal: never });
  await Promise.all([ask(), ask(), ask()]);
  const before = server.requests.length;
  assert.ok(before >= 5 && before <= 9, `${before}`);
  await ask();
  assert.deepEqual(forms(server).slice(before), ["words"]);
});

test("an answer that comes late does not undo what was found meanwhile", async () => {
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  const server = await serve((number) => (number === 0 ? held.then(() => "perfect") : "ignore"));
  const asked = model(server);
  const late = asked(request, { signal: never });
  while (server.requests.length === 0) await new Promise((resolve) => { setTimeout(resolve, 5); });
  await asked(request, { signal: never });
  release();
  assert.equal(JSON.parse((await late).text).queries.length, 12);
  await asked(request, { signal: never });
  assert.deepEqual(forms(server), ["schema", "schema", "words"]);
});

test("a question without a schema has no form, and one that is refused is not asked again", async () => {
  const server = await serve(() => 400);
  await assert.rejects(model(server)(plain, { signal: never }), code("llm", /HTTP 400/));
  assert.equal(server.requests.length, 1);
  assert.equal(inWords(server.requests[0].body), undefined);
});

test("who knows that a server takes no schema spares the first try", async () => {
  const server = await serve();
  await model(server, { structuredOutputs: false })(request, { signal: never });
  assert.deepEqual(forms(server), ["object"]);
});
