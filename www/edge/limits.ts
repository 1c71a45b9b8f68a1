// Limits that a host sets, checked when it sets them.
import { RerankError } from "../src/errors.js";

/** Whole numbers, 1 or more, and a `queue` that may be 0. Throws `invalid_argument`. */
export function checkLimits<L extends object>(place: string, limits: L): L {
  for (const [name, value] of Object.entries(limits)) {
    const least = name === "queue" ? 0 : 1;
    if (!Number.isInteger(value) || value < least) throw new RerankError("invalid_argument", `${place}.${name} must be a whole number, ${least} or more, found ${value}`);
  }
  return limits;
}
