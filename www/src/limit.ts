// At most so many at once; the others wait their turn, and leave the queue when they are not wanted any more.
import { aborted } from "./errors.js";

export function limit(parallel: number): <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T> {
  let free = parallel;
  const waiting = new Set<() => void>();
  const turn = (signal: AbortSignal): Promise<void> => new Promise((resolve, reject) => {
    const leave = (): void => {
      waiting.delete(go);
      reject(aborted("the request", signal));
    };
    const go = (): void => {
      waiting.delete(go);
      signal.removeEventListener("abort", leave);
      resolve();
    };
    signal.addEventListener("abort", leave, { once: true });
    waiting.add(go);
  });
  return async (work, signal) => {
    if (signal.aborted) throw aborted("the request", signal);
    if (free > 0) free -= 1;
    else await turn(signal);
    try {
      return await work();
    } finally {
      // The place goes to the next in line, or becomes free.
      const [next] = waiting;
      if (next) next();
      else free += 1;
    }
  };
}
