// Decides which device to try, and says why in one sentence. `auto` measures the same one-layer pass on both and keeps the faster.
// It does not load weights and does not judge results: that is the self-test in engine.ts.
import { RerankError } from "./errors.js";
import { adapterName, cpuVariant, type Probe } from "./probe.js";
import type { DeviceInfo, DeviceKind, DeviceRequest, LoadProgress, Variant } from "./types.js";
import type { Glue } from "./wasm.js";

export interface Choice {
  kind: DeviceKind;
  reason: string;
  measured?: { webgpuMs: number; cpuMs: number };
}

/** What can be decided before WASM is there: the variant to download, and the device unless it has to be measured. */
export interface Plan {
  variant: Variant;
  choice?: Choice;
}

// A GPU that has not finished one layer by then is no help, and a driver may hang for ever.
const WARM_UP_LIMIT_MS = 60_000;

/** Rejects with `no_webgpu` when WebGPU was demanded and is not usable. */
export function plan(requested: DeviceRequest, probed: Probe, cpuReason?: string): Plan {
  const onCpu = (reason: string): Plan => ({ variant: cpuVariant(), choice: { kind: "cpu", reason } });
  if (cpuReason !== undefined) return onCpu(cpuReason);
  if (requested === "cpu") return onCpu("The CPU was asked for");
  if (requested === "webgpu") {
    if (!probed.usable) throw new RerankError("no_webgpu", `WebGPU was asked for and cannot be used: ${probed.reason}`);
    return { variant: "gpu", choice: { kind: "webgpu", reason: `WebGPU was asked for, on ${adapterName(probed.adapter)}` } };
  }
  if (!probed.usable) return onCpu(`No usable WebGPU: ${probed.reason}`);
  return { variant: "gpu" };
}

const milliseconds = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

async function limited<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new RerankError("device_lost", `the warm-up on WebGPU did not finish within ${WARM_UP_LIMIT_MS / 1000} s`));
    }, WARM_UP_LIMIT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Measures both devices. Rejects as WASM does when the WebGPU pass fails. */
export async function measure(
  glue: Glue, manifest: string, adapter: DeviceInfo["adapter"], onProgress: (progress: LoadProgress) => void,
): Promise<Choice> {
  onProgress({ type: "warm_up", device: "webgpu" });
  const webgpuMs = await limited(glue.Engine.warmUp(manifest, "webgpu"));
  onProgress({ type: "warm_up", device: "cpu" });
  const cpuMs = await glue.Engine.warmUp(manifest, "cpu");
  const measured = { webgpuMs, cpuMs };
  const [fast, slow] = [milliseconds(Math.min(webgpuMs, cpuMs)), milliseconds(Math.max(webgpuMs, cpuMs))];
  return webgpuMs < cpuMs
    ? { kind: "webgpu", measured, reason: `WebGPU is faster here: ${fast} a layer against ${slow} on the CPU (${adapterName(adapter)})` }
    : { kind: "cpu", measured, reason: `The CPU is faster here: ${fast} a layer against ${slow} on WebGPU (${adapterName(adapter)})` };
}
