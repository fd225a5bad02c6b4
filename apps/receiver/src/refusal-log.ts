import type { Logger } from '@landline/process';
import type { AnswerCode } from './answers.ts';
import { createTokenBucket } from './token-bucket.ts';

/** The message of a log line about a delivery that was answered 4xx. */
export const REFUSED = 'ElevenLabs Webhook refused';

/** How many lines may come at once, and how many a second after that. A flood of bad requests must not push other lines out of the log. */
const RATE = { burst: 100, perSecond: 10 };

/** How often the log sums up the refusals without a line, in ms. */
const SUMMARY_MS = 10_000;

/** Logs refused requests, at a limited rate. */
export interface RefusalLog {
  /** Logs a refusal, or counts it where the rate is used up. `cause` names the likely cause; it runs only for a line that is written. */
  refused(code: AnswerCode, cause?: () => string): void;
  /** Logs the sum of the refusals without a line. */
  close(): void;
}

/** Makes a refusal log; `now` is a monotonic clock, in ms. */
export function createRefusalLog(logger: Logger, now: () => number = () => performance.now()): RefusalLog {
  const unwritten = new Map<AnswerCode, number>();
  const lines = createTokenBucket(RATE, now);
  let timer: NodeJS.Timeout | undefined;

  function sumUp(): void {
    clearTimeout(timer);
    timer = undefined;
    if (unwritten.size === 0) return;
    const counts = [...unwritten].map(([code, count]) => `${code} ${count}`);
    unwritten.clear();
    logger.warn(`${REFUSED}, more often than the log has lines: ${counts.join(', ')}`);
  }

  return {
    refused(code, cause) {
      if (lines.take()) {
        logger.warn(cause === undefined ? { code } : { code, cause: cause() }, REFUSED);
        return;
      }
      unwritten.set(code, (unwritten.get(code) ?? 0) + 1);
      timer ??= setTimeout(sumUp, SUMMARY_MS).unref();
    },
    close: sumUp,
  };
}
