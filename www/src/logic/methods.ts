// What can be called in the logic worker, by name. A method takes what the page sent, and a context to ask the page back;
// what it returns is copied to the page.
import { toErrorData } from "../errors.js";
import type { LlmImage } from "../llm.js";
import type { Host, ImagesGlue, LogicGlue, NativeHits } from "./glue.js";
import { indexMethods } from "./index-methods.js";

export interface Context extends Host {
  glue: LogicGlue;
  /** The variant `images`, which most pages never need: downloaded by the first call. */
  images: () => Promise<ImagesGlue>;
  /** Aborted when the page no longer wants the answer. */
  signal: AbortSignal;
}

type Method = (args: never, context: Context) => Promise<unknown>;

export interface RunStrategy {
  query: string;
  documents: string[];
  /** As src/wasm/strategy.rs reads them. */
  options: Record<string, unknown>;
}

export interface PrepareImage {
  file: Uint8Array;
  options: { longestSide?: number };
}

export interface GridImage {
  files: Uint8Array[];
}

export interface Fuse {
  fusion: string;
  firstStage: Float32Array;
  order: Uint32Array;
  scores: Float32Array;
}

export const methods = {
  "strategy.list": async (_: undefined, { glue }: Context): Promise<unknown> => glue.strategies(),
  "strategy.run": ({ query, documents, options }: RunStrategy, context: Context): Promise<unknown> =>
    context.glue.runStrategy(query, documents, options, context),
  "fuse": async ({ fusion, firstStage, order, scores }: Fuse, { glue }: Context): Promise<NativeHits> =>
    glue.fuse(fusion, firstStage, order, scores),
  "negatives.run": async ({ options }: { options: Record<string, unknown> }, context: Context): Promise<unknown> => {
    const { stopped, ...result } = await context.glue.generateNegatives(options, context);
    // An error that is copied to the page loses its code.
    return stopped === undefined ? result : { ...result, stopped: toErrorData(stopped) };
  },
  "negatives.export": async ({ groups, format }: { groups: unknown; format: string }, { glue }: Context): Promise<string> =>
    glue.exportGroups(groups, format),
  "negatives.import": async ({ text, format }: { text: string; format: string }, { glue }: Context): Promise<unknown> =>
    glue.importGroups(text, format),
  "images.prepare": async ({ file, options }: PrepareImage, { images }: Context): Promise<LlmImage> =>
    (await images()).prepareImage(file, options),
  "images.grid": async ({ files }: GridImage, { images }: Context): Promise<LlmImage> => (await images()).gridImage(files, {}),
  ...indexMethods,
} satisfies Record<string, Method>;

export type Methods = typeof methods;
export type MethodName = keyof Methods;
export type Args<N extends MethodName> = Parameters<Methods[N]>[0];
export type Result<N extends MethodName> = Awaited<ReturnType<Methods[N]>>;
