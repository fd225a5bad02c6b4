import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits.
 *
 * @throws  The reason of the signal as soon as that is aborted.
 */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
