import type { Clock } from './clock.ts';
import { errorOf } from './errors.ts';

/** An error that repeats is told again after so long, in ms. */
const TELL_AGAIN_MS = 3_600_000;

/** Makes a function that tells `onError` of what was thrown; the same message once an hour. */
export function createReporter(
  onError: (error: Error) => void,
  { elapsed }: Pick<Clock, 'elapsed'>,
): (thrown: unknown) => void {
  /** When each message was told. */
  const told = new Map<string, number>();
  return (thrown) => {
    const error = errorOf(thrown);
    const at = elapsed();
    for (const [message, toldAt] of told) if (at - toldAt >= TELL_AGAIN_MS) told.delete(message);
    if (told.has(error.message)) return;
    told.set(error.message, at);
    onError(error);
  };
}
