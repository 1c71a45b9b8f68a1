// One fetch handler for servers and edge workers: Request in, Response out, in the shapes that rerank clients already speak.
// Routes, CORS, authorisation, limits and errors; the ranking is the library's. It starts nothing and listens to nothing.
import { RerankError } from "../src/errors.js";
import { Reranker, type Embedder, type MainThreadOptions } from "../src/main-thread.js";
import type { RerankProgress } from "../src/types.js";
import { readJson } from "./body.js";
import { Gate } from "./gate.js";
import { checkLimits } from "./limits.js";
import { Metrics } from "./metrics.js";
import { Problem, problemBody, toProblem } from "./problem.js";
import { LlmProxy, type LlmUpstream } from "./proxy.js";
import { decodeEmbeddings, decodeRerank, encodeEmbeddings, encodeRerank } from "./shapes.js";

/** What a request may cost. */
export interface Limits {
  /** Bytes of a body; default 10 MiB. */
  bodyBytes?: number;
  /** Documents or texts of a request; default 1,000. */
  documents?: number;
  /** Requests worked on at once; default 1, because a model has one queue. */
  concurrency?: number;
  /** Requests that may wait; default 16. One more is answered 429. */
  queue?: number;
  /** Milliseconds for a request, waiting included; default 60,000. */
  timeoutMs?: number;
}

type Ranks = Pick<Reranker, "rerank" | "info">;
type Embeds = Pick<Embedder, "embed" | "info">;

export interface HandlerOptions extends MainThreadOptions {
  /** A reranker, or how to load it at the first request; without it one is loaded with the other options. */
  reranker?: Ranks | (() => Promise<Ranks>);
  /** An embedder, or how to load it at the first request; without it there is no /v1/embeddings. */
  embedder?: Embeds | (() => Promise<Embeds>);
  /** Tokens of which a request must bring one (`Authorization: Bearer …`), or a function that decides. Default: everybody. */
  auth?: readonly string[] | ((request: Request) => boolean | Promise<boolean>);
  /** Origins that pages may call from; `"*"` for all. Default: none. */
  origins?: readonly string[];
  limits?: Limits;
  /** A language model that clients may ask at /v1/chat/completions without its key. Needs `auth`; without it there is no such path. */
  llm?: LlmUpstream;
  /** Hears of every error that is not the client's; default `console.error`. */
  onError?: (error: unknown, requestId: string) => void;
}

export type Handler = (request: Request) => Promise<Response>;

const DEFAULTS: Required<Limits> = { bodyBytes: 10 * 2 ** 20, documents: 1000, concurrency: 1, queue: 16, timeoutMs: 60_000 };
const ROUTES: Record<string, "GET" | "POST"> = {
  "/health": "GET", "/v1/models": "GET", "/metrics": "GET",
  "/rerank": "POST", "/v1/rerank": "POST", "/v2/rerank": "POST", "/v1/embeddings": "POST",
};
/** Only with an upstream to forward to; `foliorank serve` has none. */
const CHAT = "/v1/chat/completions";
const encoder = new TextEncoder();

/** Compares in a time that does not depend on where the two differ. */
function same(a: string, b: string): boolean {
  const [left, right] = [encoder.encode(a), encoder.encode(b)];
  let difference = left.length ^ right.length;
  for (let index = 0; index < left.length; index += 1) difference |= (left[index] as number) ^ (right[index % right.length] ?? 0);
  return difference === 0;
}

const json = (value: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json", ...headers } });

const wantsStream = (request: Request): boolean => (request.headers.get("accept") ?? "").includes("text/event-stream");

/** What is there, or is loaded by the first that asks. A failure is not kept: the next one tries again. */
class Lazy<T> {
  #loading: Promise<T> | undefined;

  constructor(readonly given: T | (() => Promise<T>)) {}

  get(): Promise<T> {
    if (this.#loading) return this.#loading;
    const { given } = this;
    this.#loading = typeof given === "function" ? (given as () => Promise<T>)() : Promise.resolve(given);
    this.#loading.catch(() => { this.#loading = undefined; });
    return this.#loading;
  }
}

/** One kind of request: the body is decoded before it waits for its turn, so that nonsense does not wait. */
type Work = (body: Record<string, unknown>) => (signal: AbortSignal, onProgress: (progress: RerankProgress) => void) => Promise<unknown>;

class Server {
  readonly #options: HandlerOptions;
  readonly #limits: Required<Limits>;
  readonly #gate: Gate;
  readonly #metrics = new Metrics();
  readonly #reranker: Lazy<Ranks>;
  readonly #embedder: Lazy<Embeds> | undefined;
  readonly #proxy: LlmProxy | undefined;
  readonly #routes: Record<string, "GET" | "POST">;

  constructor(options: HandlerOptions) {
    const { reranker, embedder, auth: _auth, origins: _origins, limits: _limits, llm, onError: _onError, ...load } = options;
    this.#options = options;
    this.#reranker = new Lazy<Ranks>(reranker ?? (() => Reranker.load(load)));
    this.#embedder = embedder && new Lazy<Embeds>(embedder);
    this.#limits = checkLimits("limits", { ...DEFAULTS, ...options.limits });
    if (llm && !options.auth) throw new RerankError("invalid_argument", "llm needs auth, because it spends your key; `auth: () => true` lets everybody in");
    this.#proxy = llm && new LlmProxy(llm);
    this.#routes = llm ? { ...ROUTES, [CHAT]: "POST" } : ROUTES;
    this.#gate = new Gate(this.#limits.concurrency, this.#limits.queue);
  }

  async answer(request: Request): Promise<Response> {
    const begun = performance.now();
    const requestId = /^[\w.-]{1,128}$/.exec(request.headers.get("x-request-id") ?? "")?.[0] ?? crypto.randomUUID();
    const path = new URL(request.url).pathname.replace(/(.)\/$/, "$1");
    let response: Response;
    try {
      response = request.method === "OPTIONS" ? new Response(null, { status: 204 }) : await this.#route(request, path, requestId);
    } catch (thrown) {
      const problem = this.#problem(thrown, requestId);
      response = json(problemBody(problem, requestId), problem.status, problem.headers);
    }
    this.#cors(request, response.headers);
    response.headers.set("x-request-id", requestId);
    this.#metrics.answered(path in this.#routes ? path : "other", response.status, (performance.now() - begun) / 1000);
    return response;
  }

  #problem(thrown: unknown, requestId: string): Problem {
    const problem = toProblem(thrown);
    const { onError = (error: unknown) => console.error(error) } = this.#options;
    if (problem.status >= 500) onError(thrown, requestId);
    return problem;
  }

  async #route(request: Request, path: string, requestId: string): Promise<Response> {
    const method = this.#routes[path];
    if (!method) throw new Problem("not_found", `there is no ${path}; there is ${Object.keys(this.#routes).join(", ")}`);
    if (request.method !== method) throw new Problem("method_not_allowed", `${path} expects ${method}`, { allow: `${method}, OPTIONS` });
    if (path === "/health") return this.#health();
    await this.#authorise(request);
    if (path === "/metrics") return new Response(this.#metrics.text(this.#gate), { headers: { "content-type": "text/plain; version=0.0.4" } });
    if (path === "/v1/models") return this.#models();
    if (path === CHAT && this.#proxy) return this.#proxy.answer(request, (thrown) => problemBody(this.#problem(thrown, requestId), requestId));
    if (path !== "/v1/embeddings") return this.#work(request, requestId, this.#rerank(requestId));
    if (!this.#embedder) throw new Problem("not_found", "this server has no embedder");
    return this.#work(request, requestId, this.#embed(this.#embedder));
  }

  /** 200 when the model is there, which this waits for. */
  async #health(): Promise<Response> {
    const { info } = await this.#reranker.get();
    return json({ status: "ok", model: info.model, device: info.device.kind });
  }

  async #models(): Promise<Response> {
    const models = [await this.#reranker.get(), await this.#embedder?.get()].filter((model) => model !== undefined);
    const data = models.map(({ info }) => ({ id: info.model, object: "model", owned_by: "foliorank", max_length: info.maxLength, licence: info.licence }));
    return json({ object: "list", data });
  }

  async #authorise(request: Request): Promise<void> {
    const { auth } = this.#options;
    if (!auth) return;
    const token = /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
    const isAllowed = typeof auth === "function" ? await auth(request) : auth.filter((known) => same(known, token)).length > 0;
    if (!isAllowed) throw new Problem("unauthorized", "expected a known token as `Authorization: Bearer …`", { "www-authenticate": "Bearer" });
  }

  #cors(request: Request, headers: Headers): void {
    const { origins = [] } = this.#options;
    const origin = request.headers.get("origin");
    if (origins.length === 0) return;
    headers.append("vary", "origin");
    if (!origin || !(origins.includes("*") || origins.includes(origin))) return;
    headers.set("access-control-allow-origin", origin);
    headers.set("access-control-expose-headers", "x-request-id, retry-after");
    if (request.method !== "OPTIONS") return;
    headers.set("access-control-allow-methods", "GET, POST, OPTIONS");
    headers.set("access-control-allow-headers", "authorization, content-type, x-request-id");
    headers.set("access-control-max-age", "86400");
  }

  #rerank(requestId: string): Work {
    return (body) => {
      const question = decodeRerank(body, this.#limits.documents);
      return async (signal, onProgress) => {
        const reranker = await this.#reranker.get();
        const { shape: _shape, query, documents, ...options } = question;
        const response = await reranker.rerank(query, documents, { ...options, signal, onProgress });
        this.#metrics.scored(documents.length, response.usage.tokens);
        return encodeRerank(question, response, reranker.info.model, requestId);
      };
    };
  }

  #embed(embedder: Lazy<Embeds>): Work {
    return (body) => {
      const { texts, base64 } = decodeEmbeddings(body, this.#limits.documents);
      return async (signal, onProgress) => {
        const model = await embedder.get();
        const { vectors, dimensions, lengths, usage } = await model.embed(texts, { signal, onProgress });
        if (lengths) throw new Problem("not_found", `${model.info.model} has no single vector for a text, as /v1/embeddings answers: that takes a bi-encoder`);
        this.#metrics.scored(texts.length, usage.tokens);
        return encodeEmbeddings({ vectors, dimensions, tokens: usage.tokens }, base64, model.info.model);
      };
    };
  }

  async #work(request: Request, requestId: string, decode: Work): Promise<Response> {
    const ended = new AbortController();
    const timeout = new Problem("timeout", `expected an answer within ${this.#limits.timeoutMs} ms`);
    const gone = (): void => ended.abort(new Problem("aborted", "the client has gone"));
    const { signal } = ended;
    const work = async (onProgress: (progress: RerankProgress) => void): Promise<unknown> => {
      const timer = setTimeout(() => ended.abort(timeout), this.#limits.timeoutMs);
      request.signal.addEventListener("abort", gone, { once: true });
      if (request.signal.aborted) gone();
      try {
        const run = decode(await readJson(request, this.#limits.bodyBytes, signal));
        return await this.#gate.run(() => run(signal, onProgress), signal);
      } catch (thrown) {
        throw signal.aborted ? signal.reason : thrown;
      } finally {
        clearTimeout(timer);
        request.signal.removeEventListener("abort", gone);
      }
    };
    if (!wantsStream(request)) return json(await work(() => undefined));
    return stream(work, { end: gone, body: (thrown) => problemBody(this.#problem(thrown, requestId), requestId) });
  }
}

/** Server-sent events: `progress` as often as there is any, then `result` or `error`. */
function stream(
  work: (onProgress: (progress: RerankProgress) => void) => Promise<unknown>, { end: cancel, body: refusal }: { end: () => void; body: (thrown: unknown) => object },
): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      let open = true;
      const send = (event: string, data: unknown): void => {
        if (open) controller.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
      };
      const end = (event: string, data: unknown): void => {
        try {
          send(event, data);
          controller.close();
        } catch {
          // The client has gone: nobody is there to be told.
        }
        open = false;
      };
      work((progress) => {
        try {
          send("progress", progress);
        } catch {
          open = false;
        }
      }).then((value) => end("result", value), (thrown: unknown) => end("error", refusal(thrown)));
    },
    cancel,
  });
  return new Response(body, { headers: { "content-type": "text/event-stream", "cache-control": "no-store" } });
}

/**
 * A handler for `Deno.serve`, `export default { fetch }` and the like: POST /rerank, /v1/rerank, /v2/rerank (Cohere's, Jina's and TEI's
 * shapes) and, with an embedder, /v1/embeddings and, with an `llm`, /v1/chat/completions (OpenAI's), GET /health, /v1/models, /metrics. With `Accept: text/event-stream` progress comes while the ranking is made.
 * Throws `invalid_argument` for limits out of range; a request is never answered by throwing.
 */
export function createHandler(options: HandlerOptions): Handler {
  const server = new Server(options);
  return (request) => server.answer(request);
}
