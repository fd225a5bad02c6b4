import type { Journal } from '@landline/journal';
import type { Logger } from '@landline/process';

/** The exit code of a receiver that left in order, and left events in its journal that Redis does not have. */
export const LEFT_IN_JOURNAL = 3;

/** Of what a receiver tells that leaves. */
export interface WhatIsLeft {
  /** Closed already. */
  journal: Pick<Journal, 'stats'> | undefined;
  /** `JOURNAL_DIR` */
  dir: string;
  logger: Pick<Logger, 'error'>;
}

/**
 * Tells what a receiver that leaves has in its journal that Redis does not have: on a machine where no other receiver starts, it would
 * lie there for good.
 *
 * @returns The exit code: 0 when nothing is left, else `LEFT_IN_JOURNAL`.
 */
export function tellWhatIsLeft({ journal, dir, logger }: WhatIsLeft): number {
  const { pendingRecords, pendingBytes } = journal?.stats() ?? { pendingRecords: 0, pendingBytes: 0 };
  if (pendingRecords === 0) return 0;
  logger.error(
    { pendingRecords, pendingBytes },
    `Stopping with ${pendingRecords} records (groups of events, ${pendingBytes} bytes) in the journal that Redis does not have. A receiver on this machine with JOURNAL_DIR=${dir} enqueues them: see that one runs`,
  );
  return LEFT_IN_JOURNAL;
}
