import { setTimeout as delay } from 'node:timers/promises';

/** Waits for `work`, but no longer than `ms`, because the disk may hang. Rejects as `work` does. */
export async function inTime(work: Promise<unknown>, ms: number): Promise<void> {
  await Promise.race([work, delay(ms, undefined, { ref: false })]);
}
