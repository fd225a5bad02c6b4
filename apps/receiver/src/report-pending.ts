import type { Journal } from '@landline/journal';
import type { Logger } from '@landline/process';
import type { Spool } from '@landline/recordings';

/** The exit code of a receiver that stopped in order while its journal had events that Redis does not have. */
const PENDING_EXIT_CODE = 3;

/** A receiver's journal, and where the receiver reports its pending records. */
export interface PendingOptions {
  /** Closed already; undefined: the receiver has no journal. */
  journal: Pick<Journal, 'stats'> | undefined;
  /** `JOURNAL_DIR` */
  dir: string;
  logger: Pick<Logger, 'error'>;
}

/**
 * Logs how many records in the journal of a stopping receiver Redis does not have. They stay in the journal for good on a
 * machine where no other receiver starts.
 *
 * @returns The exit code: 0 when no record is pending, else 3.
 */
export function reportPending({ journal, dir, logger }: PendingOptions): number {
  const { pendingRecords, pendingBytes } = journal?.stats() ?? { pendingRecords: 0, pendingBytes: 0 };
  if (pendingRecords === 0) return 0;
  logger.error(
    { pendingRecords, pendingBytes },
    `Stopping with ${pendingRecords} ${pendingRecords === 1 ? 'record' : 'records'} (groups of events, ${pendingBytes} bytes) in the journal that Redis does not have. A receiver on this machine with JOURNAL_DIR=${dir} enqueues them: see that one runs`,
  );
  return PENDING_EXIT_CODE;
}

/**
 * Logs how many bodies in the spool of a stopping receiver are not stored and enqueued yet. They stay in the spool for good on a
 * machine where no other receiver starts.
 *
 * @returns The exit code: 0 when no body waits, else 3.
 */
export function reportSpooled({
  spool,
  dir,
  logger,
}: {
  spool: Pick<Spool, 'stats'>;
  /** `SPOOL_DIR` */
  dir: string;
  logger: Pick<Logger, 'error'>;
}): number {
  const { files, bytes } = spool.stats();
  if (files === 0) return 0;
  logger.error(
    { files, bytes },
    `Stopping with ${files} ${files === 1 ? 'body' : 'bodies'} (${bytes} bytes) in the spool, not stored and enqueued yet. A receiver on this machine with SPOOL_DIR=${dir} goes on with them: see that one runs`,
  );
  return PENDING_EXIT_CODE;
}
