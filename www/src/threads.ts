// How many workers share the work on the CPU. Each holds the whole model, so memory limits them as much as cores do.
// The browser says little about either: what it keeps to itself is guessed low.
import type { DeviceKind, ThreadRequest } from "./types.js";

/** More gain little: the cores of one machine share its memory bus, and a page should leave some to others. */
const MOST = 4;
/** Of the machine's memory, for all workers together. */
const SHARE = 1 / 4;
/** GiB where the browser does not say (Firefox, Safari). */
const USUAL_MEMORY = 4;
/** Bytes of one worker beside the weights: code, tokenizer, and what one batch needs. */
const BESIDE_WEIGHTS = 64 * 2 ** 20;

/** What the host says about itself; `deviceMemory` in GiB. */
export interface Host {
  hardwareConcurrency?: number;
  deviceMemory?: number;
}

/** Workers to use for a model of so many parameters. One on WebGPU: there the GPU is the bottleneck. */
export function threadCount(
  requested: ThreadRequest, { device, parameters }: { device: DeviceKind; parameters: number },
  host: Host = globalThis.navigator as Host | undefined ?? {},
): number {
  if (device !== "cpu") return 1;
  if (requested !== "auto") return requested;
  // Weights count as f32, the most that a worker makes of them.
  const fit = Math.floor(((host.deviceMemory ?? USUAL_MEMORY) * 2 ** 30 * SHARE) / (4 * parameters + BESIDE_WEIGHTS));
  return Math.max(1, Math.min(host.hardwareConcurrency ?? 1, MOST, fit));
}
