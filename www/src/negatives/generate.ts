// Hard negatives from one page: the pipeline runs in WASM (src/negatives), this side answers what it asks, with the caller's models and
// the cache of answers.
import { fromErrorData, RerankError, type ErrorData } from "../errors.js";
import { bytesOf, isFile } from "../file.js";
import { judgeByQuery } from "../judge-groups.js";
import type { Llm, LlmAnswer, LlmImage, LlmRequest } from "../llm.js";
import type { LogicClient } from "../logic/client.js";
import { guarded } from "../reranker.js";
import { logicOf } from "../strategies.js";
import type { JudgeGroup } from "../strategy-types.js";
import { usualAnswers } from "./answer-cache.js";
import type {
  Negative, NegativesLimits, NegativesOptions, NegativesPage, NegativesResult, NegativesSettings, PageJudge, ProviderInfo,
  TrainingGroup,
} from "./types.js";

type NativeResult = Omit<NegativesResult, "warnings" | "stopped"> & { stopped?: ErrorData };

/**
 * Queries that look like those the page answers, and that it does not answer, as training groups. Rejects with a RerankError:
 * `invalid_argument`, `aborted`. A budget or a failing model ends it early with what is finished: see `stopped`.
 */
export async function generateNegatives(page: NegativesPage, options: NegativesOptions): Promise<NegativesResult> {
  const { llm, verifier, judge, positives = [], settings, limits, signal, onProgress } = options;
  checkPage(page, options);
  const cache = options.cache === undefined ? usualAnswers() : options.cache;
  const answer = (own: Llm) => (request: LlmRequest, stop: AbortSignal): Promise<LlmAnswer> => own(request, { signal: stop });
  const logic = logicOf(options);
  const native = {
    id: page.title ?? "", text: page.text ?? "", ...(await imageOf(page, options, logic)), others: [...(page.others ?? [])], positives: [...positives], time: new Date().toISOString(),
    cache: cache !== false, settings: settings ?? {}, limits: limits ?? {},
    ...(llm ? { generator: named(llm, options.info) } : {}),
    ...(verifier ? { verifier: named(verifier, options.verifierInfo) } : {}),
  };
  const { stopped, ...result } = await logic.call("negatives.run", { options: native }, {
    signal,
    onProgress: guarded(onProgress),
    answers: {
      judge: ({ groups }: { groups: JudgeGroup[] }, stop) => judgeByQuery(groups, (query, documents) => scores(judge, query, documents, stop)),
      ...(llm ? { llm: answer(llm) } : {}),
      ...(verifier ? { verifier: answer(verifier) } : {}),
      ...(cache ? {
        cached: ({ key }: { key: string }) => cache.get(key),
        keep: ({ key, answer: kept }: { key: string; answer: LlmAnswer }) => cache.put(key, kept),
      } : {}),
    },
  }) as NativeResult;
  const error = stopped && fromErrorData(stopped);
  if (error?.code === "aborted") throw error;
  return { ...result, warnings: warningsOf(page, options, result), ...(error ? { stopped: error } : {}) };
}

/** An edited negative scored again on its group's page: its `score` and `margin`, everything else as given. */
export async function rescoreNegative(
  group: TrainingGroup, negative: Negative, { judge, signal }: { judge: PageJudge; signal?: AbortSignal },
): Promise<Negative> {
  const { page, positive } = group;
  const raw = async (query: string): Promise<number> => (await scores(judge, query, [page.text], signal))[0] as number;
  const score = await raw(negative.query);
  return { ...negative, score, margin: (positive.score ?? await raw(positive.query)) - score };
}

/** The page's image as models see it. The file is copied: it stays the caller's. */
async function imageOf({ image }: NegativesPage, { llm, imageSide, signal }: NegativesOptions, logic: LogicClient): Promise<{ image?: LlmImage }> {
  if (!image || !llm) return {};
  const file = await bytesOf(image);
  const options = imageSide === undefined ? {} : { longestSide: imageSide };
  return { image: await logic.call("images.prepare", { file, options }, { signal }) };
}

async function scores(judge: PageJudge, query: string, documents: readonly string[], signal: AbortSignal | undefined): Promise<number[]> {
  const { results } = await judge.rerank(query, documents, { rawScores: true, ...(signal ? { signal } : {}) });
  const row = new Array<number>(documents.length);
  for (const { index, relevanceScore } of results) row[index] = relevanceScore;
  return row;
}

function named(llm: Llm, info: ProviderInfo | undefined): Required<ProviderInfo> {
  const own = llm as Llm & ProviderInfo;
  return { provider: info?.provider ?? own.provider ?? "custom", model: info?.model ?? own.model ?? "unnamed" };
}

// WASM passes over names that it does not know.
const SETTINGS = [
  "candidates", "positives", "consistentWithin", "variants", "properties", "edits", "negatives", "nearDuplicate", "rephrase", "rewrite",
  "verifyAtOnce", "temperature", "queryWords", "pageBytes", "seed",
] satisfies (keyof NegativesSettings)[];
const LIMITS = ["calls", "tokens", "cost", "priceIn", "priceOut"] satisfies (keyof NegativesLimits)[];

function checkNames(argument: string, value: object | undefined, known: readonly string[]): void {
  const other = Object.keys(value ?? {}).find((name) => !known.includes(name));
  if (other !== undefined) throw new RerankError("invalid_argument", `${argument}: expected one of ${known.join(", ")}, found ${other}`);
}

function checkPage(page: NegativesPage, { judge, verifier, llm, settings, limits }: NegativesOptions): void {
  checkNames("settings", settings, SETTINGS);
  checkNames("limits", limits, LIMITS);
  for (const [name, value] of Object.entries(limits ?? {})) {
    if (!(Number.isFinite(value) && value >= 0)) throw new RerankError("invalid_argument", `limits.${name}: expected 0 or more, found ${value}`);
  }
  const { text, image } = page ?? {};
  if (typeof text !== "string" && !(text === undefined && image)) {
    throw new RerankError("invalid_argument", `page.text: expected a string, or an image in its place, found ${typeof text}`);
  }
  if (image && !isFile(image)) {
    throw new RerankError("invalid_argument", `page.image: expected a Blob or a Uint8Array, found ${typeof image}`);
  }
  if (!text?.trim() && image && !llm) throw new RerankError("invalid_argument", "page.image: expected `llm` beside it; rules read text only");
  if (typeof judge?.rerank !== "function") throw new RerankError("invalid_argument", "judge: expected a Reranker");
  if (verifier && !llm) throw new RerankError("invalid_argument", "verifier: expected `llm` beside it; rules verify by themselves");
}

function warningsOf(
  { text, image }: NegativesPage, { llm, verifier }: NegativesOptions, { groups, funnel }: Pick<NegativesResult, "groups" | "funnel">,
): string[] {
  const warnings: string[] = [];
  if (!llm) warnings.push("made by rules, without a language model: English only, the page's own wording, and \"not on the page\" is a word lookup");
  else if (!verifier) warnings.push("the model that wrote the queries verified them too; another one would find more of its mistakes");
  if (image && llm && !text?.trim()) warnings.push("the page has no text, so nothing was scored: the negatives are in the order the model wrote them");
  if (image && !llm) warnings.push("the page's image was not looked at: rules read text only");
  if (groups.length === 0) warnings.push(`no group: ${funnel.positives.generated} candidates for positives, none kept with a negative`);
  return warnings;
}
