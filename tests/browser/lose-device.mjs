// A GPU device that a test can destroy while the package works on it: the shipped worker with a few lines in front of it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { answer, dist } from "./server.mjs";

const LOSE = `{
  const original = GPUAdapter.prototype.requestDevice;
  let device;
  GPUAdapter.prototype.requestDevice = async function (...args) { return (device = await original.apply(this, args)); };
  new BroadcastChannel("lose").onmessage = () => device?.destroy();
}\n`;

/** From now on `new BroadcastChannel("lose").postMessage("now")` in a page of this server destroys its worker's device. */
export function canLoseDevice(t, server) {
  server.routes["/worker.js"] = answer(LOSE + readFileSync(join(dist, "worker.js"), "utf8"));
  t.after(() => { delete server.routes["/worker.js"]; });
}
