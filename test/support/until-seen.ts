import { setTimeout as wait } from 'node:timers/promises';

/** How long something that ought to happen is waited for, in ms. */
const LIMIT_MS = 60_000;
const LOOK_MS = 50;

/**
 * Looks again and again until it is so. It needs no test runner, so the suites that are no tests may use it.
 *
 * @param what  What should be seen.
 * @throws      When it is not within `limitMs`: a fault that did not strike was not survived.
 */
export async function untilSeen(what: string, look: () => Promise<boolean>, limitMs: number = LIMIT_MS): Promise<void> {
  const deadline = performance.now() + limitMs;
  // oxlint-disable-next-line no-await-in-loop -- again and again
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`It never came to this: ${what}.`);
    // oxlint-disable-next-line no-await-in-loop -- again and again
    await wait(LOOK_MS);
  }
}
