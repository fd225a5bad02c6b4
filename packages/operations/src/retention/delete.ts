import { StoreError, type EventPosition } from '@landline/store';
import { counted } from '../counted.ts';
import { removeRecordings } from '../recordings/remove-recordings.ts';
import { inBatches, type Counted, type RetentionTask } from './retention-task.ts';

/** Rows that are deleted in one transaction. */
const BATCH = 1_000;

const DAY_MS = 86_400_000;

/** Postgres says this of a lock that others hold. */
const LOCK_NOT_AVAILABLE = '55P03';

const FIRST: EventPosition = { receivedAt: 0, id: '00000000-0000-0000-0000-000000000000' };

/**
 * Drops the partitions of whole days of bodies. Nothing is deleted from them, so it costs nothing, however many bodies they have. A day that is in
 * use for longer than some tries stays until the next run.
 */
export async function dropBodies(task: RetentionTask): Promise<void> {
  const { context, ports, cutoffs, count } = task;
  const { retention } = ports.store;
  await clearOldLedger(task);
  const days = await context.retry(() => retention.bodyDays());
  const due = days.filter((day) => Date.parse(day) + DAY_MS <= cutoffs.bodies);
  // oxlint-disable no-await-in-loop -- one after the other: each keeps the writers of bodies waiting for a moment
  for (const [i, day] of due.entries()) {
    await context.hold();
    try {
      count('days', Number(await context.retry(() => retention.dropBodies(day))));
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== LOCK_NOT_AVAILABLE) throw error;
      task.leave(due.length - i, `Bodies of ${counted(due.length - i, 'day')} are in use; the next run tries again.`);
      return;
    }
  }
  // oxlint-enable no-await-in-loop
}

/** Takes out of the ledger what an older version kept there and nobody has moved to a partition yet: it would be moved only to be dropped. */
async function clearOldLedger({ context, ports, cutoffs, count }: RetentionTask): Promise<void> {
  let after = FIRST;
  await inBatches(context, async () => {
    const page = await ports.store.retention.clearLedgerBodies(cutoffs.bodies, { after, limit: BATCH });
    if (page === undefined) return 0;
    after = page.last;
    count('old_bodies', page.cleared);
    return 1;
  });
}

/** Puts whole bodies that lie in the storage on the list of what goes from there. */
export async function deleteStoredBodies({ context, ports, cutoffs, count }: RetentionTask): Promise<void> {
  await deleteAll('stored_bodies', { context, count }, () =>
    ports.store.retention.removeStoredBodies(cutoffs.bodies, BATCH),
  );
}

/** Removes the dead letters whose events have no body in the ledger any more, or are forgotten: a letter is a copy of the body. */
export async function deleteLetters({ context, ports, cutoffs, count }: RetentionTask): Promise<void> {
  const { retention } = ports.store;
  count(
    'letters',
    await context.retry(() => ports.letters.sweep((page) => retention.staleLetters(page, cutoffs.bodies))),
  );
}

/** Deletes ids of the ledger, but of no day that has bodies still: a body without its id would be nobody's. */
export async function deleteEvents({ context, ports, cutoffs, count }: RetentionTask): Promise<void> {
  const { retention } = ports.store;
  const [oldest] = await context.retry(() => retention.bodyDays());
  const before = Math.min(cutoffs.events, oldest === undefined ? Infinity : Date.parse(oldest));
  await deleteAll('events', { context, count }, () => retention.deleteEvents(before, BATCH));
}

/** Marks recordings as deleted, and puts their files on the list of what goes from the storage. */
export async function deleteRecordings({ context, ports, cutoffs, count }: RetentionTask): Promise<void> {
  const { recordings } = cutoffs;
  if (recordings === null) return;
  await deleteAll('recordings', { context, count }, () => ports.store.retention.deleteRecordings(recordings, BATCH));
}

/** Deletes refused requests. */
export async function deleteRejected({ context, ports, cutoffs, count }: RetentionTask): Promise<void> {
  await deleteAll('rejected', { context, count }, () => ports.store.retention.deleteRejected(cutoffs.rejected, BATCH));
}

/** Removes the files that the storage is to lose, also those that runs before could not remove. */
export async function removeFiles({ context, ports, count, leave }: RetentionTask): Promise<void> {
  const { recordingsToRemove: recordings } = ports.store;
  const removed = await context.retry(() => removeRecordings({ recordings, storage: ports.storage }, context.signal));
  count('files', removed.removed);
  if (removed.failed === 0) return;
  leave(
    removed.failed,
    `Not removed: ${counted(removed.failed, 'file')}, tried again by the next run: ${removed.error ?? ''}`,
  );
}

async function deleteAll(
  what: Counted,
  { context, count }: Pick<RetentionTask, 'context' | 'count'>,
  batch: () => Promise<number>,
): Promise<void> {
  await inBatches(context, async () => {
    const deleted = await batch();
    count(what, deleted);
    return deleted;
  });
}
