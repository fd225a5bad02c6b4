import { setTimeout as delay } from 'node:timers/promises';

interface Options {
  timeoutMs?: number;
}

/** Waits until `condition` holds; fails after `timeoutMs`. A question that fails is asked again: the machine may have stalled. */
export function waitUntil(condition: () => boolean | Promise<boolean>, options: Options = {}): Promise<void> {
  return untilAnswered(async () => {
    if (!(await condition())) throw new Error(`It is not so: ${condition.toString()}`);
  }, options);
}

/**
 * Asks until there is an answer, and returns it: a machine that stalls for half a second costs some questions theirs.
 *
 * @throws  What the last question failed with, after `timeoutMs`.
 */
export async function untilAnswered<T>(ask: () => Promise<T>, { timeoutMs = 20_000 }: Options = {}): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      return await ask();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    // oxlint-disable-next-line no-await-in-loop -- as above
    await delay(20);
  }
}
