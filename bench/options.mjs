// The command line of run.mjs. An option that is not known, or a workload that is not, is an error that lists what there is.
// Started by itself it only says whether the options are right.
import { pathToFileURL } from "node:url";
import { WORKLOADS } from "./plan.mjs";

const DEVICES = { cpu: ["cpu"], webgpu: ["webgpu"], all: ["cpu", "webgpu"] };
const NAMES = [...WORKLOADS.map(({ name }) => name), "growth"];

/** `{ quick, devices, workloads, rounds }`; workloads and rounds are undefined when the plan's own are meant. */
export function parse(given) {
  const found = { quick: false, devices: DEVICES.all, workloads: undefined, rounds: undefined };
  const rest = [...given];
  const value = (option) => rest.shift() ?? complain(`${option} expects a value`);
  while (rest.length > 0) {
    const option = rest.shift();
    if (option === "--quick") found.quick = true;
    else if (option === "--device") {
      const name = value(option);
      found.devices = DEVICES[name] ?? complain(`--device expects ${Object.keys(DEVICES).join(", ")}, found "${name}"`);
    } else if (option === "--workload") {
      found.workloads = value(option).split(",");
      const unknown = found.workloads.filter((name) => !NAMES.includes(name));
      if (unknown.length > 0) complain(`--workload does not know "${unknown.join('", "')}"; there are ${NAMES.join(", ")}`);
    } else if (option === "--rounds") {
      found.rounds = Number(value(option));
      if (!Number.isInteger(found.rounds) || found.rounds < 1) complain("--rounds expects a whole number, 1 or more");
    } else complain(`"${option}" is not an option`);
  }
  return found;
}

function complain(what) {
  throw new Error(what);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    parse(process.argv.slice(2));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 2;
  }
}
