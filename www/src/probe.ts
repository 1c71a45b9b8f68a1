// Asks the browser, in JavaScript and before any WASM starts, whether WebGPU can be used here and why not if it cannot. It comes first so
// that only the WASM variant that will be used is downloaded.
import type { AdapterDescription, DeviceInfo, Variant } from "./types.js";

export interface Probe {
  usable: boolean;
  /** Why not, or what was found. */
  reason: string;
  adapter?: AdapterDescription;
  features: DeviceInfo["features"];
  limits?: { maxStorageBufferBindingSize: number; maxBufferSize: number; maxComputeInvocationsPerWorkgroup: number };
}

/** What a model needs of the adapter. */
export interface Needs {
  /** Its largest tensor, which has to fit one storage binding. */
  largestTensorBytes: number;
}

/** A module of one function, that calls f32x4.relaxed_madd. */
const RELAXED_SIMD = Uint8Array.from([
  0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, 61, 1, 59, 0,
  ...Array.from({ length: 3 }, () => [0xfd, 0x0c, ...Array<number>(16).fill(0)]).flat(), 0xfd, 0x85, 0x02, 0x0b,
]);

/** The fastest CPU variant that this browser can compile. */
export const cpuVariant = (): Variant => (WebAssembly.validate(RELAXED_SIMD) ? "cpu-relaxed" : "cpu");

const NONE = { timestampQuery: false, shaderF16: false, subgroups: false };
// The kernels' workgroups; every WebGPU implementation allows 256.
const WORKGROUP = 64;

type Gpu = { requestAdapter(options?: { powerPreference?: "high-performance" }): Promise<GPUAdapter | null> };

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;

function describeAdapter(adapter: GPUAdapter): AdapterDescription {
  // isFallbackAdapter moved from the adapter to its info; browsers have one or the other.
  const info = adapter.info as Partial<GPUAdapterInfo> | undefined;
  const old = adapter as unknown as { isFallbackAdapter?: boolean };
  return {
    vendor: info?.vendor ?? "",
    architecture: info?.architecture ?? "",
    device: info?.device ?? "",
    description: info?.description ?? "",
    fallback: info?.isFallbackAdapter ?? old.isFallbackAdapter ?? false,
  };
}

/** A short name for people: the most telling of what the browser gives away. */
export function adapterName(adapter: AdapterDescription | undefined): string {
  if (!adapter) return "an unnamed adapter";
  const name = adapter.description || adapter.device || [adapter.vendor, adapter.architecture].filter(Boolean).join(" ");
  return `${name || "an unnamed adapter"}${adapter.fallback ? ", a software adapter" : ""}`;
}

/** Looks for a usable adapter. Never throws. */
export async function probe(needs: Needs, gpu = (globalThis.navigator as { gpu?: Gpu } | undefined)?.gpu): Promise<Probe> {
  const no = (reason: string, found?: Partial<Probe>): Probe => ({ usable: false, reason, features: NONE, ...found });
  if (!gpu) {
    return no(globalThis.isSecureContext === false
      ? "WebGPU is only there on https:// pages and on localhost"
      : "this browser has no WebGPU, or has it switched off");
  }
  let adapter: GPUAdapter | null;
  try {
    adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  } catch (error) {
    return no(`asking for a WebGPU adapter failed: ${String(error)}`);
  }
  if (!adapter) return no("the browser has WebGPU but offers no adapter for this GPU");

  const found = {
    adapter: describeAdapter(adapter),
    features: {
      timestampQuery: adapter.features.has("timestamp-query"),
      shaderF16: adapter.features.has("shader-f16"),
      subgroups: adapter.features.has("subgroups"),
    },
    limits: {
      maxStorageBufferBindingSize: adapter.limits.maxStorageBufferBindingSize,
      maxBufferSize: adapter.limits.maxBufferSize,
      maxComputeInvocationsPerWorkgroup: adapter.limits.maxComputeInvocationsPerWorkgroup,
    },
  };
  const name = adapterName(found.adapter);
  const binding = Math.min(found.limits.maxStorageBufferBindingSize, found.limits.maxBufferSize);
  if (binding < needs.largestTensorBytes) {
    return no(`the model's largest tensor takes ${mebibytes(needs.largestTensorBytes)}, ${name} allows ${mebibytes(binding)}`, found);
  }
  if (found.limits.maxComputeInvocationsPerWorkgroup < WORKGROUP) {
    return no(`${name} runs ${found.limits.maxComputeInvocationsPerWorkgroup} invocations a workgroup, ${WORKGROUP} are needed`, found);
  }
  return { usable: true, reason: `found ${name}`, ...found };
}
