// Sees the failures that no promise reports: a lost GPU device, a GPU error nobody captured, and a trap inside a task that WASM
// started by itself (its promise then never settles). Whoever waits for WASM races against this watch.
import { isTrap, RerankError } from "./errors.js";
import type { DeviceKind } from "./types.js";

type RequestDevice = GPUAdapter["requestDevice"];
type AdapterClass = { prototype: { requestDevice: RequestDevice } };

export class FailureWatch {
  #failure: RerankError | undefined;
  #devicesMatter = true;
  #waiting = new Set<(error: RerankError) => void>();
  #stop: (() => void)[] = [];

  /** `exclusive`: nothing but our WASM runs in this realm (our worker), so every stray error is ours. */
  constructor(exclusive: boolean) {
    this.#watchDevices();
    this.#watchErrors(exclusive);
  }

  get failure(): RerankError | undefined {
    return this.#failure;
  }

  /** Forgets what happened to the device of the warm-up; the one that computes is opened next, or none is. */
  reset(next: DeviceKind): void {
    this.#failure = undefined;
    this.#devicesMatter = next === "webgpu";
  }

  /** Settles like `work`, or rejects with the first failure seen. */
  async race<T>(work: Promise<T>): Promise<T> {
    if (this.#failure) {
      work.catch(() => undefined);
      throw this.#failure;
    }
    let fail: ((error: RerankError) => void) | undefined;
    const failed = new Promise<never>((_, reject) => { fail = reject; });
    this.#waiting.add(fail as (error: RerankError) => void);
    try {
      const result = await Promise.race([work, failed]);
      // A bad kernel gives silent garbage: an answer that came with a GPU error is none.
      if (this.#failure) throw this.#failure;
      return result;
    } finally {
      this.#waiting.delete(fail as (error: RerankError) => void);
    }
  }

  stop(): void {
    for (const stop of this.#stop.splice(0)) stop();
  }

  #fail(error: RerankError): void {
    this.#failure ??= error;
    for (const fail of this.#waiting) fail(this.#failure);
  }

  #watchDevices(): void {
    const adapter = (globalThis as { GPUAdapter?: AdapterClass }).GPUAdapter;
    if (!adapter) return;
    const original = adapter.prototype.requestDevice;
    const fail = (error: RerankError): void => { if (this.#devicesMatter) this.#fail(error); };
    let current: GPUDevice | undefined;
    // The device is opened inside WASM; this is the one place where JavaScript can get hold of it.
    const wrapped: RequestDevice = async function (this: GPUAdapter, ...args) {
      const device = await original.apply(this, args);
      current = device;
      void device.lost.then((info) => {
        if (current !== device) return;
        fail(new RerankError("device_lost", `the GPU device was lost (${info.message || info.reason || "no reason given"})`));
      });
      device.addEventListener("uncapturederror", (event) => {
        fail(new RerankError("device_lost", `a GPU call failed: ${event.error.message}`));
      });
      return device;
    };
    adapter.prototype.requestDevice = wrapped;
    this.#stop.push(() => {
      current = undefined;
      if (adapter.prototype.requestDevice === wrapped) adapter.prototype.requestDevice = original;
    });
  }

  #watchErrors(exclusive: boolean): void {
    const scope = globalThis as Partial<Pick<EventTarget, "addEventListener" | "removeEventListener">>;
    if (!scope.addEventListener || !scope.removeEventListener) return;
    const listen = (event: Event): void => {
      const thrown: unknown = (event as ErrorEvent).error ?? (event as PromiseRejectionEvent).reason;
      const stack = thrown instanceof Error ? (thrown.stack ?? "") : "";
      if (!exclusive && !(isTrap(thrown) && stack.includes("foliorank"))) return;
      event.preventDefault();
      const text = thrown instanceof Error ? thrown.message : String(thrown);
      this.#fail(new RerankError("internal", `the WASM module stopped: ${text}`, { cause: thrown }));
    };
    for (const type of ["error", "unhandledrejection"]) {
      scope.addEventListener(type, listen);
      this.#stop.push(() => scope.removeEventListener?.(type, listen));
    }
  }
}
