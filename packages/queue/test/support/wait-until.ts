import { setTimeout as delay } from 'node:timers/promises';

/** Waits until `condition` holds; fails after `timeoutMs`. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  { timeoutMs = 20_000 }: { timeoutMs?: number } = {},
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Not so after ${timeoutMs} ms: ${condition.toString()}`);
    await delay(20);
  }
}
