import type { NormalisedEvent } from '@landline/webhook';
import { isCanary } from '@landline/webhook/canary';
import type { RecordingChange } from '@landline/webhook/changes';
import type { Clock } from '@landline/webhook/clock';
import { fold, foldRecordings, withoutOutranked, type FoldedRows } from './tables/fold.ts';
import { forgetStatement, recordDeadStatement, recordStatement, type DeadEvent } from './ledger/ledger-statement.ts';
import { mergeStatement } from './tables/merge-statement.ts';
import type { MergedRow } from './tables/merged-row.ts';
import type { MergedTable } from './tables/merged-table.ts';
import { AGENT_TOOL_CALLS, CONVERSATIONS, USER_COMMANDS, USER_PROFILES } from './tables/merged-tables.ts';
import { messageStatement } from './tables/message-statement.ts';
import { outrankedStatement } from './tables/outranked-statement.ts';
import type { Run } from './connection/transactions.ts';
import { recordingStatement } from './tables/recording-statement.ts';
import { readTranscripts, transcriptStatement } from './tables/transcript-statement.ts';

/** What applying made of an event; `duplicate`: it was in the ledger already and changed nothing. */
export type ApplyOutcome = 'applied' | 'ignored' | 'duplicate';

/** An event that can be applied or at least recorded. */
export type ApplicableEvent = Extract<NormalisedEvent, { outcome: 'applied' | 'ignored' }>;

/**
 * Applies events inside one transaction: the ledger first, then one set-based statement per table for what the ledger
 * did not have yet. Conversations come before what hangs on them: their rows' locks are what keeps two workers from
 * writing the same conversation at once. A canary's row is written like any other and gone before anybody can see it.
 *
 * @returns  Each ledger id's outcome.
 */
export async function applyEvents(events: readonly ApplicableEvent[], run: Run): Promise<Map<string, ApplyOutcome>> {
  const unique = uniqueById(events, (event) => event.entry.id);
  const duplicates = idsOf(await run(recordStatement(unique)));
  const canaries = unique.filter(isCanary);
  if (canaries.length > 0) await run(forgetStatement(canaries.map(({ entry }) => entry.id)));
  const rows = fold(
    unique.flatMap((event) => (event.outcome === 'applied' && !duplicates.has(event.entry.id) ? [event.changes] : [])),
  );
  await merge(CONVERSATIONS, rows.conversations, run);
  if (rows.transcribed.length > 0) {
    await run(outrankedStatement('conversation_messages', rows.transcribed));
    await run(outrankedStatement('agent_tool_calls', rows.transcribed));
  }
  const { messages, toolCalls } = withoutOutranked(rows, await transcriptsOf(rows, run));
  if (messages.length > 0) await run(messageStatement(messages));
  await merge(AGENT_TOOL_CALLS, toolCalls, run);
  await merge(USER_COMMANDS, rows.commands, run);
  await merge(USER_PROFILES, rows.profiles, run);
  const recordings = foldRecordings(recordingsOf(events, duplicates));
  if (recordings.length > 0) await run(recordingStatement(recordings));
  return new Map(unique.map(({ entry, outcome }) => [entry.id, duplicates.has(entry.id) ? 'duplicate' : outcome]));
}

/** Records events as dead; returns the ledger ids of those that are dead now. */
export async function recordDead(events: readonly DeadEvent[], run: Run): Promise<Set<string>> {
  return idsOf(await run(recordDeadStatement(uniqueById(events, (event) => event.entry.id))));
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

/** The transcripts of the conversations that have messages or tool calls among the rows. */
async function transcriptsOf({ messages, toolCalls }: FoldedRows, run: Run): Promise<Map<string, Clock>> {
  const ids = new Set(messages.map((message) => message.conversation_id));
  for (const { key } of toolCalls) ids.add(key[0] ?? '');
  return ids.size === 0 ? new Map() : readTranscripts(await run(transcriptStatement([...ids])));
}

async function merge(table: MergedTable, rows: readonly MergedRow[], run: Run): Promise<void> {
  if (rows.length > 0) await run(mergeStatement(table, rows));
}

function idsOf(rows: readonly Record<string, unknown>[]): Set<string> {
  return new Set(rows.map((row) => String(row['id'])));
}

/**
 * One event for an id, sorted: a group may hold a delivery twice, and a statement may touch a row only once. The first
 * stands, as it does in the ledger: two deliveries of a body that names no time may be signed at different ones.
 */
function uniqueById<T>(events: readonly T[], idOf: (event: T) => string): T[] {
  const byId = new Map(events.toReversed().map((event) => [idOf(event), event]));
  return [...byId].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, event]) => event);
}
