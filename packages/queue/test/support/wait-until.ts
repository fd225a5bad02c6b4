import { setTimeout as delay } from 'node:timers/promises';
import { QueueUnavailableError } from '../../src/errors.ts';

interface Options {
  timeoutMs?: number;
}

/** Waits until `condition` holds; fails after `timeoutMs`, and at once where the question itself fails. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  { timeoutMs = 20_000 }: Options = {},
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Not so after ${timeoutMs} ms: ${condition.toString()}`);
    await delay(20);
  }
}

/**
 * Asks until Redis answers, and returns the answer: a machine that stalls for half a second costs some questions theirs.
 *
 * @throws  What a question failed with that has its answer, at once; what the last one failed with, after `timeoutMs`.
 */
export async function untilAnswered<T>(ask: () => Promise<T>, { timeoutMs = 20_000 }: Options = {}): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      return await ask();
    } catch (error) {
      if (!isUnanswered(error) || performance.now() > deadline) throw error;
    }
    // oxlint-disable-next-line no-await-in-loop -- as above
    await delay(20);
  }
}

/** What ioredis says of a command that has no answer: too late, no connection yet, or none any more. */
const NO_ANSWER =
  /timed out|isn't writeable|Connection is closed|max retries per request|Socket timeout|ECONN|ETIMEDOUT/;

/** A refusal by Redis comes as a `QueueUnavailableError` as well, and so does a mistake of ours: its cause tells. */
function isUnanswered(error: unknown): boolean {
  const cause = error instanceof QueueUnavailableError ? (error.cause ?? error) : error;
  return cause instanceof QueueUnavailableError || (cause instanceof Error && NO_ANSWER.test(cause.message));
}
