// The shipped worker with a few lines in front of it: a GPU device that a test can destroy while the package works on it, or whose calls
// it can count.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { answer, dist } from "./server.mjs";

const LOSE = `{
  const original = GPUAdapter.prototype.requestDevice;
  let device;
  GPUAdapter.prototype.requestDevice = async function (...args) { return (device = await original.apply(this, args)); };
  new BroadcastChannel("lose").onmessage = () => device?.destroy();
}\n`;

const COUNT = `{
  const counts = { dispatches: 0, pipelines: 0, uploads: 0, readBacks: 0, submits: 0 };
  const count = (type, method, what) => {
    const original = type.prototype[method];
    type.prototype[method] = function (...args) { counts[what] += 1; return original.apply(this, args); };
  };
  count(GPUComputePassEncoder, "dispatchWorkgroups", "dispatches");
  count(GPUDevice, "createComputePipeline", "pipelines");
  count(GPUDevice, "createComputePipelineAsync", "pipelines");
  count(GPUQueue, "writeBuffer", "uploads");
  count(GPUQueue, "submit", "submits");
  count(GPUBuffer, "mapAsync", "readBacks");
  const channel = new BroadcastChannel("count");
  channel.onmessage = ({ data }) => { if (data === "tell") channel.postMessage(counts); };
}\n`;

function inFrontOfWorker(t, server, script) {
  server.routes["/worker.js"] = answer(script + readFileSync(join(dist, "worker.js"), "utf8"));
  t.after(() => { delete server.routes["/worker.js"]; });
}

/** From now on `new BroadcastChannel("lose").postMessage("now")` in a page of this server destroys its worker's device. */
export const canLoseDevice = (t, server) => inFrontOfWorker(t, server, LOSE);

/** From now on `new BroadcastChannel("count")` in a page of this server answers "tell" with what its worker has asked of the device. */
export const countsDeviceCalls = (t, server) => inFrontOfWorker(t, server, COUNT);
