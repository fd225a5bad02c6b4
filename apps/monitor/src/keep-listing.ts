import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from '@landline/process';
import { ProviderError } from '@landline/provider';

/**
 * The pauses between two lists, in ms: while a call runs, and while none does. While the provider does not answer, the pause doubles up to the
 * longest one.
 */
const PAUSES = { first: 3_000, idle: 10_000, longest: 60_000 };

/** What is done again and again. */
export interface ListingOptions {
  /** Lists the running calls, and looks at each. Resolves with whether there is any. */
  look: (signal: AbortSignal) => Promise<boolean>;
  logger: Logger;
  pauses?: typeof PAUSES | undefined;
}

/** The listing, which has begun. */
export interface Listing {
  /** Resolves when nothing is on its way. */
  stop(): Promise<void>;
  /** Whether the provider answered the last time; false also before its first answer. */
  isProviderUp(): boolean;
}

/** Looks again and again until it is stopped. It logs a fault once, until another takes its place or the provider answers again. */
export function keepListing({ look, logger, pauses = PAUSES }: ListingOptions): Listing {
  const leaving = new AbortController();
  const { signal } = leaving;
  let fault: string | undefined;
  let hasAnswered = false;
  const note = (found: string | undefined): void => {
    if (found !== undefined && found !== fault) logger.warn(`ElevenLabs does not say which calls run: ${found}`);
    if (found === undefined && fault !== undefined) logger.info('ElevenLabs says again which calls run');
    fault = found;
    hasAnswered ||= found === undefined;
  };
  /** Resolves with the least pause until the next list, and why there was none. */
  const lookOnce = () =>
    look(signal).then(
      (isBusy) => ({ least: isBusy ? pauses.first : pauses.idle, found: undefined }),
      (error: unknown) => ({
        least: pauses.first,
        found: error instanceof ProviderError ? error.message : String(error),
      }),
    );
  const keepLooking = async (): Promise<void> => {
    for (let failures = 0; !signal.aborted;) {
      // oxlint-disable-next-line no-await-in-loop -- one list after the other
      const { least, found } = await lookOnce();
      if (signal.aborted) return;
      note(found);
      failures = found === undefined ? 0 : failures + 1;
      const pause = Math.min(least * 2 ** Math.min(failures, 20), pauses.longest);
      // oxlint-disable-next-line no-await-in-loop -- one list after the other
      await wait(pause, undefined, { signal }).catch(() => undefined);
    }
  };
  const looking = keepLooking();
  return {
    async stop() {
      leaving.abort();
      await looking;
    },
    isProviderUp: () => hasAnswered && fault === undefined,
  };
}
