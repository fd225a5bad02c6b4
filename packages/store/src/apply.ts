import { normalise, type NormalisedEvent } from '@landline/webhook';
import { isCanary } from '@landline/webhook/canary';
import type { Changes, LedgerEntry, RecordingChange } from '@landline/webhook/changes';
import { conversationOf, forgetErased, storedUrls } from './forget/erased-events.ts';
import { removeAgainStatement } from './forget/recordings-to-remove.ts';
import { fold } from './tables/fold.ts';
import { holdConversations } from './hold-conversations.ts';
import {
  forgetStatement,
  keepBodiesStatement,
  lackingBodiesStatement,
  readRecorded,
  recordDeadStatement,
  recordStatement,
  type DeadEvent,
  type RecordedRow,
  type RecordOptions,
} from './ledger/ledger-statement.ts';
import type { Run, RunAtCommit } from './connection/transactions.ts';
import { writeRows } from './write-rows.ts';

/**
 * What applying made of an event. `duplicate`: it was in the ledger already and changed nothing. `ignored`: it is in the ledger and changes no table,
 * because nobody knows its type, or because its conversation is erased; then its body is not kept.
 */
export type ApplyOutcome = 'applied' | 'ignored' | 'duplicate';

/** What events are applied with. */
export interface ApplyOptions extends RecordOptions {
  run: Run;
  /** `run` by default. */
  runAtCommit?: Run | RunAtCommit;
}

/** An event that can be applied or at least recorded. */
export type ApplicableEvent = Extract<NormalisedEvent, { outcome: 'applied' | 'ignored' }>;

/**
 * Applies events inside one transaction: the ledger first, then one set-based statement per table for what the ledger
 * did not have yet. Conversations' rows are held before what hangs on them is written, so that no live message is written
 * beside its call's transcript. They are updated late, for no other worker updates them until the transaction ends.
 * A canary's row is written like any other and gone before anybody can see it.
 *
 * @returns  Each ledger id's outcome.
 */
export async function applyEvents(
  events: readonly ApplicableEvent[],
  { run, runAtCommit = run, ...options }: ApplyOptions,
): Promise<Map<string, ApplyOutcome>> {
  const unique = uniqueById(events, (event) => event.entry.id);
  const recorded = readRecorded(await run(recordStatement(unique, options)));
  await keepRevived(unique, recorded, run);
  const duplicates = new Set(recorded.flatMap(({ id, isRevived }) => (isRevived ? [] : [id])));
  const isRevivedHere = (id: string) => recorded.some((row) => row.isRevived && row.id === id);
  const canaries = unique.filter(isCanary);
  if (canaries.length > 0) await run(forgetStatement(canaries.map(({ entry }) => entry.id)));
  const foldNew = (some: readonly ApplicableEvent[]) => fold(changesOfNew(some, { duplicates, recorded }));
  const folded = foldNew(unique);
  const held = await holdConversations(folded.conversations, run, idsBeside(unique, duplicates));
  const { erased } = held;
  // The mark of an erased conversation is in its row, which is held by now: so no other event pays for that question.
  const isErased = (event: { entry: LedgerEntry }) => erased.has(conversationOf(event) ?? '');
  const isKept = (event: { entry: LedgerEntry }) => !isErased(event);
  if (erased.size > 0) await forgetErased(events.filter(isErased), (id) => !duplicates.has(id), run);
  const rows = erased.size === 0 ? folded : foldNew(unique.filter(isKept));
  const recordings = recordingsOf(erased.size === 0 ? events : events.filter(isKept), duplicates);
  const stored = recordings.filter(({ url }) => url !== null);
  if (stored.length > 0) await runAtCommit(removeAgainStatement(stored));
  await writeRows({ rows, held, recordings }, runAtCommit);
  const outcomeOf = (event: ApplicableEvent): ApplyOutcome => {
    if (duplicates.has(event.entry.id)) return 'duplicate';
    if (isKept(event)) return event.outcome;
    // The ledger gave it another chance before anybody could know.
    return isRevivedHere(event.entry.id) ? 'duplicate' : 'ignored';
  };
  return new Map(unique.map((event) => [event.entry.id, outcomeOf(event)]));
}

interface Recorded {
  duplicates: ReadonlySet<string>;
  recorded: readonly RecordedRow[];
}

/**
 * Returns the changes of the events that the ledger did not have, each under the receipt and the origin that the ledger keeps: those of the delivery which came
 * first, also where a later one is applied in its place. So what the tables hold is a function of what the ledger holds.
 */
function changesOfNew(events: readonly ApplicableEvent[], { duplicates, recorded }: Recorded): Changes[] {
  const rows = new Map(recorded.map((row) => [row.id, row]));
  return events.flatMap((event) => {
    if (event.outcome !== 'applied' || duplicates.has(event.entry.id)) return [];
    const { delivery, id } = event.entry;
    const isFetched = delivery.origin === 'backfill';
    const first = rows.get(id);
    const receivedAt = first?.receivedAt ?? delivery.receivedAt;
    if (receivedAt === delivery.receivedAt && (first?.isFetched ?? isFetched) === isFetched) return [event.changes];
    const again = normalise({ ...delivery, receivedAt, origin: first?.isFetched === true ? 'backfill' : 'replay' });
    return [again.outcome === 'applied' ? again.changes : event.changes];
  });
}

/**
 * Returns the conversations of events that change no row of them, and must be forgotten all the same where they are erased: the body of an event that is
 * ignored, and the audio that a repeat has brought to the storage once more.
 */
function idsBeside(events: readonly ApplicableEvent[], duplicates: ReadonlySet<string>): string[] {
  const ids = events.flatMap((event) => {
    const counts = duplicates.has(event.entry.id) ? storedUrls(event).length > 0 : event.outcome === 'ignored';
    return counts ? (conversationOf(event) ?? []) : [];
  });
  return [...new Set(ids)];
}

/** Records events as dead; returns the ledger ids of those that are dead now. Those of erased conversations are ignored. */
export async function recordDead(
  events: readonly DeadEvent[],
  { run, ...options }: Omit<ApplyOptions, 'runAtCommit'>,
): Promise<Set<string>> {
  const unique = uniqueById(events, (event) => event.entry.id);
  const recorded = readRecorded(await run(recordDeadStatement(unique, options)));
  await keepRevived(unique, recorded, run);
  const dead = new Set(recorded.map(({ id }) => id));
  const { erased } = await holdConversations([], run, [
    ...new Set(unique.flatMap((event) => conversationOf(event) ?? [])),
  ]);
  const ofErased = unique.filter((event) => erased.has(conversationOf(event) ?? ''));
  if (ofErased.length === 0) return dead;
  await forgetErased(ofErased, (id) => dead.has(id), run);
  for (const { entry } of ofErased) dead.delete(entry.id);
  return dead;
}

/** Writes the bodies of events that the ledger had before, where they are gone. */
async function keepRevived(
  events: readonly { entry: LedgerEntry }[],
  recorded: readonly RecordedRow[],
  run: Run,
): Promise<void> {
  const revived = new Set(recorded.flatMap(({ id, isRevived }) => (isRevived ? [id] : [])));
  if (revived.size === 0) return;
  // A body is sent only where it is needed: whoever replays thousands of dead events has all of them in the ledger.
  const lacking = new Set((await run(lackingBodiesStatement([...revived]))).map(({ id }) => String(id)));
  if (lacking.size === 0) return;
  await run(keepBodiesStatement(events.flatMap(({ entry }) => (lacking.has(entry.id) ? [entry] : []))));
}

/**
 * Returns the recordings of a group. A duplicate counts where its audio was kept: another delivery of the same body may have
 * come to a receiver that keeps no audio.
 */
function recordingsOf(events: readonly ApplicableEvent[], duplicates: ReadonlySet<string>): RecordingChange[] {
  return events.flatMap((event) => {
    if (event.outcome !== 'applied') return [];
    const { recordings } = event.changes;
    return duplicates.has(event.entry.id) ? recordings.filter(({ url }) => url !== null) : recordings;
  });
}

/**
 * One event for an id, sorted: a group may hold a delivery twice, and a statement may touch a row only once. The first
 * stands, as it does in the ledger: two deliveries of a body that names no time may be signed at different ones.
 */
function uniqueById<T>(events: readonly T[], idOf: (event: T) => string): T[] {
  const byId = new Map(events.toReversed().map((event) => [idOf(event), event]));
  return [...byId].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, event]) => event);
}
