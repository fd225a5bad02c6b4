import { normalise, type NormalisedEvent } from '@landline/webhook';
import { isCanary } from '@landline/webhook/canary';
import type { Changes, LedgerEntry, RecordingChange } from '@landline/webhook/changes';
import type { Clock } from '@landline/webhook/clock';
import { fold, foldRecordings, withoutOutranked } from './tables/fold.ts';
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
import { mergeStatement } from './tables/merge-statement.ts';
import type { MergedRow } from './tables/merged-row.ts';
import type { MergedTable } from './tables/merged-table.ts';
import { AGENT_TOOL_CALLS, CONVERSATIONS, USER_COMMANDS, USER_PROFILES } from './tables/merged-tables.ts';
import { messageStatement } from './tables/message-statement.ts';
import { outrankedStatement } from './tables/outranked-statement.ts';
import type { Run, RunAtCommit } from './connection/transactions.ts';
import { recordingStatement } from './tables/recording-statement.ts';

/** What applying made of an event; `duplicate`: it was in the ledger already and changed nothing. */
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
  const canaries = unique.filter(isCanary);
  if (canaries.length > 0) await run(forgetStatement(canaries.map(({ entry }) => entry.id)));
  const receipts = new Map(
    recorded.flatMap(({ id, receivedAt }) => (receivedAt === undefined ? [] : [[id, receivedAt]])),
  );
  const changes = unique.flatMap((event) => {
    if (event.outcome !== 'applied' || duplicates.has(event.entry.id)) return [];
    return [changesUnder(event, receipts.get(event.entry.id))];
  });
  await applyChanges({ changes, recordings: recordingsOf(events, duplicates) }, { run, runAtCommit });
  return new Map(unique.map(({ entry, outcome }) => [entry.id, duplicates.has(entry.id) ? 'duplicate' : outcome]));
}

/** What events write to the tables beside the ledger. */
export interface TableChanges {
  changes: readonly Changes[];
  recordings: readonly RecordingChange[];
}

/**
 * Writes changes to the tables beside the ledger, inside one transaction. Safe to repeat, in any order: what the tables hold then is a function of the set
 * of events alone.
 */
export async function applyChanges(
  { changes, recordings: changed }: TableChanges,
  { run, runAtCommit = run }: Pick<ApplyOptions, 'run' | 'runAtCommit'>,
): Promise<void> {
  const rows = fold(changes);
  const { transcripts, updates } = await holdConversations(rows.conversations, run);
  const outranked = transcripts.size === 0 ? transcripts : transcribedHere(rows.conversations, transcripts);
  if (outranked.size > 0) {
    await runAtCommit(outrankedStatement('conversation_messages', outranked));
    await runAtCommit(outrankedStatement('agent_tool_calls', outranked));
  }
  const { messages, toolCalls } = withoutOutranked(rows, transcripts);
  if (messages.length > 0) await runAtCommit(messageStatement(messages));
  await merge(AGENT_TOOL_CALLS, toolCalls, runAtCommit);
  await merge(USER_COMMANDS, rows.commands, runAtCommit);
  const recordings = foldRecordings(changed);
  if (recordings.length > 0) await runAtCommit(recordingStatement(recordings));
  await merge(CONVERSATIONS, updates, runAtCommit);
  await merge(USER_PROFILES, rows.profiles, runAtCommit);
}

/**
 * Returns an event's changes under the receipt that the ledger keeps: that of the delivery which came first, also where a later one is applied in its
 * place. So what the tables hold is a function of what the ledger holds.
 */
function changesUnder(
  event: Extract<ApplicableEvent, { outcome: 'applied' }>,
  receivedAt: number | undefined,
): Changes {
  const { delivery } = event.entry;
  if (receivedAt === undefined || receivedAt === delivery.receivedAt) return event.changes;
  const again = normalise({ ...delivery, receivedAt });
  return again.outcome === 'applied' ? again.changes : event.changes;
}

/** Records events as dead; returns the ledger ids of those that are dead now. */
export async function recordDead(
  events: readonly DeadEvent[],
  { run, ...options }: Omit<ApplyOptions, 'runAtCommit'>,
): Promise<Set<string>> {
  const unique = uniqueById(events, (event) => event.entry.id);
  const recorded = readRecorded(await run(recordDeadStatement(unique, options)));
  await keepRevived(unique, recorded, run);
  return new Set(recorded.map(({ id }) => id));
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

/** The transcripts that count, of the conversations of which these rows bring one. */
function transcribedHere(
  conversations: readonly MergedRow[],
  transcripts: ReadonlyMap<string, Clock>,
): Map<string, Clock> {
  return new Map(
    conversations.flatMap(({ key: [id = ''], greatestClock }) => {
      const clock = greatestClock === null ? undefined : transcripts.get(id);
      return clock === undefined ? [] : [[id, clock] as const];
    }),
  );
}

async function merge(table: MergedTable, rows: readonly MergedRow[], run: Run | RunAtCommit): Promise<void> {
  if (rows.length > 0) await run(mergeStatement(table, rows));
}

/**
 * One event for an id, sorted: a group may hold a delivery twice, and a statement may touch a row only once. The first
 * stands, as it does in the ledger: two deliveries of a body that names no time may be signed at different ones.
 */
function uniqueById<T>(events: readonly T[], idOf: (event: T) => string): T[] {
  const byId = new Map(events.toReversed().map((event) => [idOf(event), event]));
  return [...byId].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, event]) => event);
}
