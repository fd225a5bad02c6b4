import { printable, type Logger } from '@landline/process';
import { HandBackError, type DeadLetter, type DeadLetters } from '@landline/queue';
import type { DeadEvent, Store } from '@landline/store';
import { patiently, type ApplyContext } from '../process/apply-group.ts';
import type { WorkerMetrics } from '../metrics.ts';

/** What burying needs. */
export interface BuryContext extends Pick<ApplyContext, 'gate' | 'signal'> {
  store: Pick<Store, 'recordDead'>;
  deadLetters: Pick<DeadLetters, 'add'>;
  logger: Logger;
  metrics: WorkerMetrics;
}

/**
 * Lays events to rest as dead letters: in the ledger first, so that they outlast even the loss of Redis, then in the
 * dead-letter queue. Safe to repeat.
 *
 * @throws HandBackError, StoreError: nothing is lost, the job that carries the events comes back.
 */
export async function bury(burials: readonly DeadEvent[], context: BuryContext): Promise<void> {
  if (burials.length === 0) return;
  const dead = await patiently(() => context.store.recordDead(burials), context);
  const letters = new Map<string, DeadLetter>();
  for (const { entry, fault } of burials) {
    if (!dead.has(entry.id) || letters.has(entry.id)) continue;
    letters.set(entry.id, { id: entry.id, event: entry.delivery });
    context.metrics.dead.inc({ code: fault.code });
    const type = entry.type === null ? null : printable(entry.type);
    context.logger.error({ event: entry.id, type, code: fault.code }, '💀 Dead letter');
  }
  try {
    await context.deadLetters.add([...letters.values()]);
  } catch (error) {
    // Redis is away or full, which is no fault of the job's: it comes back without having spent an attempt.
    throw new HandBackError('Redis did not take the dead letters.', { cause: error });
  }
}
