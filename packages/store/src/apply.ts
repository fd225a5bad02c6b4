import type { NormalisedEvent } from '@landline/webhook';
import { isCanary } from '@landline/webhook/canary';
import type { LedgerEntry, RecordingChange } from '@landline/webhook/changes';
import type { Clock } from '@landline/webhook/clock';
import { conversationOf, forgetErased, storedUrls } from './forget/erased-events.ts';
import { fold, foldRecordings, withoutOutranked, type FoldedRows } from './tables/fold.ts';
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
  const others = idsBeside(unique, duplicates);
  const folded = foldNew(unique, duplicates);
  const { transcripts, updates, erased } = await holdConversations(folded.conversations, run, others);
  // The mark of an erased conversation is in its row, which is held by now: so no other event pays for that question.
  const isErased = (event: { entry: LedgerEntry }) => erased.has(conversationOf(event) ?? '');
  if (erased.size > 0) await forgetErased(events.filter(isErased), (id) => !duplicates.has(id), run);
  const kept = erased.size === 0 ? events : events.filter((event) => !isErased(event));
  const rows =
    erased.size === 0
      ? folded
      : foldNew(
          unique.filter((event) => !isErased(event)),
          duplicates,
        );
  const outranked = transcripts.size === 0 ? transcripts : transcribedHere(rows.conversations, transcripts);
  if (outranked.size > 0) {
    await runAtCommit(outrankedStatement('conversation_messages', outranked));
    await runAtCommit(outrankedStatement('agent_tool_calls', outranked));
  }
  const { messages, toolCalls } = withoutOutranked(rows, transcripts);
  if (messages.length > 0) await runAtCommit(messageStatement(messages));
  await merge(AGENT_TOOL_CALLS, toolCalls, runAtCommit);
  await merge(USER_COMMANDS, rows.commands, runAtCommit);
  const recordings = foldRecordings(recordingsOf(kept, duplicates));
  if (recordings.length > 0) await runAtCommit(recordingStatement(recordings));
  await merge(CONVERSATIONS, updates, runAtCommit);
  await merge(USER_PROFILES, rows.profiles, runAtCommit);
  const outcomeOf = (event: ApplicableEvent): ApplyOutcome => {
    if (duplicates.has(event.entry.id)) return 'duplicate';
    if (!isErased(event)) return event.outcome;
    // The ledger gave it another chance before anybody could know.
    return isRevivedHere(event.entry.id) ? 'duplicate' : 'ignored';
  };
  return new Map(unique.map((event) => [event.entry.id, outcomeOf(event)]));
}

/** Folds the changes of the events that the ledger did not have. */
function foldNew(events: readonly ApplicableEvent[], duplicates: ReadonlySet<string>): FoldedRows {
  return fold(
    events.flatMap((event) => (event.outcome === 'applied' && !duplicates.has(event.entry.id) ? [event.changes] : [])),
  );
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
