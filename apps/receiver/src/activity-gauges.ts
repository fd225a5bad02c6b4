import type { Journal } from '@landline/journal';
import type { Intake } from '@landline/intake';
import type { Spool } from '@landline/recordings';

/** The sources of what a receiver tells the console of itself. */
export interface MeasuredReceiver {
  intake: Pick<Intake, 'status' | 'shardsAway'>;
  /** Undefined: the receiver has no journal. */
  journal: Pick<Journal, 'stats' | 'status'> | undefined;
  spool: Pick<Spool, 'stats' | 'status'>;
}

/** Returns what tells the console how this receiver is, as its metrics do. Figures of a journal are there only where the receiver has one. */
export function activityGauges({ intake, journal, spool }: MeasuredReceiver): () => Record<string, number> {
  return () => {
    const { files, bytes } = spool.stats();
    return {
      redisUp: Number(intake.status() === 'ready'),
      redisShardsAway: intake.shardsAway(),
      spoolUp: Number(spool.status() === 'ready'),
      spoolFiles: files,
      spoolBytes: bytes,
      ...(journal && journalGauges(journal)),
    };
  };
}

function journalGauges(journal: NonNullable<MeasuredReceiver['journal']>): Record<string, number> {
  const { pendingRecords, pendingBytes } = journal.stats();
  return {
    journalUp: Number(journal.status() === 'ready'),
    journalPendingRecords: pendingRecords,
    journalPendingBytes: pendingBytes,
  };
}
