// One loaded model on one device: fetches the files, starts the right WASM variant, settles on a device, runs the self-test, does jobs.
// Used unchanged by the worker and by the main-thread entry. It falls back to the CPU only where its WASM instance is still sound;
// where it is not it throws EngineFailure, and the client starts anew.
import { measure, plan, type Choice } from "./device.js";
import { isTrap, RerankError, toRerankError } from "./errors.js";
import { FailureWatch } from "./failure-watch.js";
import type { Job, JobResult } from "./job.js";
import type { WasmPlaces } from "./place.js";
import { cpuVariant, probe } from "./probe.js";
import type { CacheMode, DeviceKind, DeviceRequest, LoadProgress, RerankerInfo, Variant } from "./types.js";
import { loadWasm, type Glue, type NativeEngine, type NativeProgress, type SuppliedWasm } from "./wasm.js";
import { digestOf, loadFile, loadManifest, parseManifest, type LoadedManifest, type ModelFile, type Source } from "./weights.js";

/** Bytes the host already has; nothing is downloaded then. */
export interface SuppliedFiles {
  manifest: string;
  tokenizer: Uint8Array<ArrayBuffer>;
  weights: Uint8Array<ArrayBuffer>;
}

export interface EngineRequest {
  /** Absolute URL of model.json. */
  model: string;
  device: DeviceRequest;
  cache: CacheMode;
  /** Where the variants are, or the one that the host has. */
  wasm: WasmPlaces | SuppliedWasm;
  /** Set on a restart and for every further worker: use the CPU, and this is why. */
  cpuReason?: string;
  /** With `cpuReason`: the variant to use, so that all workers compute with the same code. Default: the best there is. */
  cpuVariant?: Variant;
  /** Keep the files for `takeFiles`, if the CPU computes. */
  shareFiles?: boolean;
  /** How many instances this realm had before. */
  generation: number;
  /** Nothing else runs in this realm. */
  exclusive: boolean;
  files?: SuppliedFiles;
}

export interface EngineHooks {
  signal: AbortSignal;
  onProgress(progress: LoadProgress): void;
}

/** The instance, or the device under it, is lost. Everything but a new start is unsafe. */
export class EngineFailure extends Error {
  override readonly name = "EngineFailure";
  constructor(readonly error: RerankError, readonly device: DeviceKind) {
    super(error.message, { cause: error });
  }
}

/** Whether an error thrown by WASM on this device means that the engine is finished. */
function isFinal(error: unknown, device: DeviceKind, watch: FailureWatch): boolean {
  if (isTrap(error) || error === watch.failure) return true;
  const { code, cause } = toRerankError(error);
  if (code === "device_lost" || isTrap(cause)) return true;
  return device === "webgpu" && (code === "out_of_memory" || code === "internal");
}

const isSupplied = (wasm: WasmPlaces | SuppliedWasm): wasm is SuppliedWasm => "glue" in wasm;

const given = (bytes: Uint8Array<ArrayBuffer>): ModelFile =>
  ({ bytes, cached: false, stored: Promise.resolve(), drop: () => Promise.resolve() });

type Files = { tokenizer: ModelFile; weights: ModelFile };

function fetchFiles({ data, url }: LoadedManifest, source: Source, supplied?: SuppliedFiles): Promise<Files> {
  if (supplied) return Promise.resolve({ tokenizer: given(supplied.tokenizer), weights: given(supplied.weights) });
  return Promise.all([loadFile(data.files.tokenizer, url, source), loadFile(data.files.weights, url, source)])
    .then(([tokenizer, weights]) => ({ tokenizer, weights }));
}

export class Engine {
  readonly info: RerankerInfo;
  readonly #native: NativeEngine;
  readonly #watch: FailureWatch;
  #files: SuppliedFiles | undefined;

  private constructor(native: NativeEngine, watch: FailureWatch, info: RerankerInfo, files: SuppliedFiles | undefined) {
    this.#native = native;
    this.#watch = watch;
    this.info = info;
    this.#files = files;
  }

  /** The checked files, once: they are not kept here afterwards, and may be transferred. */
  takeFiles(): SuppliedFiles | undefined {
    const files = this.#files;
    this.#files = undefined;
    return files;
  }

  /** Rejects with a RerankError, or with EngineFailure when only a new start can help. */
  static async load(request: EngineRequest, hooks: EngineHooks): Promise<Engine> {
    const source: Source = {
      cache: request.cache,
      signal: hooks.signal,
      onProgress: (file, loaded, total, cached) => hooks.onProgress({ type: "download", file, loaded, total, cached }),
    };
    const manifest: LoadedManifest = request.files
      ? { text: request.files.manifest, data: parseManifest(request.files.manifest, "the supplied manifest"), url: "" }
      : await loadManifest(request.model, source);
    const { vocabulary, hidden, feed_forward } = manifest.data.dimensions;
    const probed = await probe({ largestTensorBytes: 4 * hidden * Math.max(vocabulary, feed_forward) });
    let { variant, choice } = plan(request.device, probed, request.cpuReason);
    if (request.cpuReason !== undefined && request.cpuVariant) variant = request.cpuVariant;
    if (isSupplied(request.wasm)) {
      const supplied = request.wasm.variant;
      if (variant === "gpu" && supplied !== "gpu") {
        if (request.device === "webgpu") throw new RerankError("no_webgpu", `WebGPU was asked for, and the supplied WASM is the ${supplied} variant`);
        choice = { kind: "cpu", reason: `The supplied WASM is the ${supplied} variant` };
      }
      variant = supplied;
    }

    // Files arrive while WASM starts and warms up. Looked at later: a failure meanwhile must not count as unhandled.
    const downloads = fetchFiles(manifest, source, request.files);
    // Only in a worker: it takes a copy of the weights, for which an edge worker may have no room.
    downloads.then(({ weights }) => { if (request.exclusive) weights.digest = digestOf(weights.bytes); }, () => undefined);
    const watch = new FailureWatch(request.exclusive);
    let device: DeviceKind = choice?.kind ?? "webgpu";
    try {
      hooks.onProgress({ type: "initialise", variant, device: choice?.kind ?? "auto" });
      const started = await Engine.#start(request, variant, choice === undefined);
      if (variant === "gpu" && started.variant !== variant) choice = { kind: "cpu", reason: `No WebGPU: ${started.reason}` };
      variant = started.variant;
      if (!choice) {
        try {
          choice = await watch.race(measure(started.glue, manifest.text, probed.adapter, hooks.onProgress));
        } catch (error) {
          // No answer yet, so nothing is lost: a sound instance goes on with its CPU.
          if (isFinal(error, "webgpu", watch)) throw error;
          choice = { kind: "cpu", reason: `The warm-up on WebGPU failed: ${toRerankError(error).message}` };
        }
      }
      device = choice.kind;
      watch.reset(device);
      const files = await downloads;
      const loaded = await Engine.#create(started.glue, manifest, files, source, choice, watch);
      device = loaded.choice.kind;
      await Promise.all([files.tokenizer.stored, files.weights.stored]);
      const engine = new Engine(loaded.native, watch, {
        ...Engine.#describe(loaded.native),
        variant,
        device: {
          requested: request.device, ...loaded.choice, features: probed.features,
          ...(probed.adapter ? { adapter: probed.adapter } : {}),
        },
        selfTest: loaded.worst,
        threads: 1,
        warnings: [],
      }, request.shareFiles && device === "cpu"
        ? { manifest: manifest.text, tokenizer: files.tokenizer.bytes, weights: files.weights.bytes } : undefined);
      hooks.onProgress({ type: "ready", device });
      return engine;
    } catch (error) {
      watch.stop();
      if (!isFinal(error, device, watch)) throw toRerankError(error);
      // Let the files reach the cache: the new start then finds them there.
      if (request.cache === "default") await downloads.then(({ weights }) => weights.stored, () => undefined);
      throw new EngineFailure(toRerankError(error), device);
    }
  }

  static async #start(request: EngineRequest, variant: Variant, mayFallBack: boolean): Promise<{ glue: Glue; variant: Variant; reason: string }> {
    const { wasm } = request;
    if (isSupplied(wasm)) {
      // Its instance lives in the host's own import: there is no second one to be had.
      if (request.generation > 0) throw new RerankError("internal", "the supplied WASM instance stopped; restart the host to go on");
      await wasm.glue.default({ module_or_path: wasm.module });
      return { glue: wasm.glue, variant: wasm.variant, reason: "" };
    }
    try {
      return { glue: await loadWasm(variant, wasm[variant], request.generation), variant, reason: "" };
    } catch (error) {
      // A site may ship fewer variants than there are.
      const next = variant === "cpu-relaxed" ? "cpu" : variant === "gpu" && mayFallBack ? cpuVariant() : undefined;
      if (!next) throw error;
      return { ...await Engine.#start(request, next, mayFallBack), reason: toRerankError(error).message };
    }
  }

  /** Loads and tests on the chosen device, then on the CPU if the answers were wrong. */
  static async #create(
    glue: Glue, manifest: LoadedManifest, files: Files, source: Source, choice: Choice, watch: FailureWatch,
  ): Promise<{ native: NativeEngine; choice: Choice; worst: number }> {
    const native = await Engine.#loadNative(glue, manifest, files, source, choice.kind, watch);
    try {
      return { native, choice, worst: await watch.race(native.selfTest()) };
    } catch (error) {
      if (choice.kind === "cpu" || isFinal(error, choice.kind, watch)) throw error;
      native.free();
      watch.reset("cpu");
      const reason = `WebGPU gave wrong answers, so the CPU computes: ${toRerankError(error).message}`;
      const cpu = await Engine.#loadNative(glue, manifest, files, source, "cpu", watch);
      return { native: cpu, choice: { ...choice, kind: "cpu", reason }, worst: await watch.race(cpu.selfTest()) };
    }
  }

  static async #loadNative(
    glue: Glue, manifest: LoadedManifest, files: Files, source: Source, device: DeviceKind, watch: FailureWatch,
  ): Promise<NativeEngine> {
    const load = async (): Promise<NativeEngine> => {
      const digest = await files.weights.digest;
      return watch.race(glue.Engine.load(manifest.text, files.tokenizer.bytes, files.weights.bytes, device, digest));
    };
    try {
      return await load();
    } catch (error) {
      if (toRerankError(error).code !== "checksum") throw error;
      const entries = [["tokenizer", files.tokenizer], ["weights", files.weights]] as const;
      const kept = entries.filter(([, file]) => file.cached);
      await Promise.all(entries.map(([, file]) => file.drop()));
      // What came straight from the server and is wrong stays wrong.
      if (kept.length === 0 || source.cache === "only-if-cached") throw error;
      for (const [name] of kept) files[name] = await loadFile(manifest.data.files[name], manifest.url, source, true);
      try {
        return await load();
      } catch (again) {
        if (toRerankError(again).code === "checksum") await Promise.all([files.tokenizer.drop(), files.weights.drop()]);
        throw again;
      }
    }
  }

  static #describe(native: NativeEngine): Pick<RerankerInfo, "model" | "architecture" | "score" | "parameters" | "maxLength" | "licence" | "version"> {
    const { model, architecture, score, parameters, maxLength, licence, version } = native.info();
    return { model, architecture, score, parameters, maxLength, licence, version };
  }

  /** `onBatch` resolves false to abort. Rejects with a RerankError, or with EngineFailure. */
  async run(job: Job, onBatch: (progress: NativeProgress) => Promise<boolean>): Promise<JobResult> {
    const device = this.info.device.kind;
    try {
      // Copies: what is handed on will be transferred, and must not be a view of WASM memory.
      if (job.type === "embed") {
        const { vectors, lengths, ids, ...rest } = await this.#watch.race(this.#native.embed(job.texts, job.kind, onBatch));
        return { ...rest, vectors: vectors.slice(), ...(lengths ? { lengths: lengths.slice() } : {}), ...(ids ? { ids: ids.slice() } : {}) };
      }
      const { order, scores, passages, usage, timing } = await this.#watch.race(this.#native.rerank(job.query, job.documents, job.options, onBatch));
      return { order: order.slice(), scores: scores.slice(), passages: passages.slice(), usage, timing };
    } catch (error) {
      throw isFinal(error, device, this.#watch) ? new EngineFailure(toRerankError(error), device) : toRerankError(error);
    }
  }

  free(): void {
    this.#watch.stop();
    this.#native.free();
  }
}
