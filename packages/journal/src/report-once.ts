import type { Clock } from './clock.ts';
import { errorOf } from './errors.ts';

/**
 * The time after which a repeated error is reported again, in ms. Errors repeat at each tick, so a shorter time would
 * flood the log.
 */
const REPORT_AGAIN_MS = 3_600_000;

/** Makes a function that passes an error to `onError`; the same message once an hour. */
export function createReporter(
  onError: (error: Error) => void,
  { elapsed }: Pick<Clock, 'elapsed'>,
): (thrown: unknown) => void {
  /** The time of each message's last report, by `elapsed`. */
  const reportedAt = new Map<string, number>();
  return (thrown) => {
    const error = errorOf(thrown);
    const at = elapsed();
    for (const [message, last] of reportedAt) if (at - last >= REPORT_AGAIN_MS) reportedAt.delete(message);
    if (reportedAt.has(error.message)) return;
    reportedAt.set(error.message, at);
    onError(error);
  };
}
