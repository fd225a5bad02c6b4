import type { Changes, RecordingChange } from '@landline/webhook/changes';
import type { Clock } from '@landline/webhook/clock';
import type { Run, RunAtCommit } from './connection/transactions.ts';
import { holdConversations, type HeldConversations } from './hold-conversations.ts';
import { fold, foldRecordings, withoutOutranked, type FoldedRows } from './tables/fold.ts';
import { mergeStatement } from './tables/merge-statement.ts';
import type { MergedRow } from './tables/merged-row.ts';
import type { MergedTable } from './tables/merged-table.ts';
import { AGENT_TOOL_CALLS, CONVERSATIONS, USER_COMMANDS, USER_PROFILES } from './tables/merged-tables.ts';
import { messageStatement } from './tables/message-statement.ts';
import { outrankedStatement } from './tables/outranked-statement.ts';
import { recordingStatement } from './tables/recording-statement.ts';

/** What events write to the tables beside the ledger. */
export interface TableRows {
  rows: FoldedRows;
  /** The conversations of these rows. */
  held: Pick<HeldConversations, 'transcripts' | 'updates'>;
  recordings: readonly RecordingChange[];
}

/**
 * Writes rows to the tables beside the ledger, inside the transaction that holds their conversations. Safe to repeat, in any order: what the tables hold then
 * is a function of the set of events alone.
 */
export async function writeRows(
  { rows, held: { transcripts, updates }, recordings: changed }: TableRows,
  run: Run | RunAtCommit,
): Promise<void> {
  const outranked = transcripts.size === 0 ? transcripts : transcribedHere(rows.conversations, transcripts);
  if (outranked.size > 0) {
    await run(outrankedStatement('conversation_messages', outranked));
    await run(outrankedStatement('agent_tool_calls', outranked));
  }
  const { messages, toolCalls } = withoutOutranked(rows, transcripts);
  if (messages.length > 0) await run(messageStatement(messages));
  await merge(AGENT_TOOL_CALLS, toolCalls, run);
  await merge(USER_COMMANDS, rows.commands, run);
  const recordings = foldRecordings(changed);
  if (recordings.length > 0) await run(recordingStatement(recordings));
  await merge(CONVERSATIONS, updates, run);
  await merge(USER_PROFILES, rows.profiles, run);
}

/** Writes the changes of events that are in the ledger to the tables beside it, inside one transaction. Nothing is written of a conversation that is erased. */
export async function writeChanges(changes: readonly Changes[], run: Run): Promise<void> {
  const all = fold(changes);
  const held = await holdConversations(all.conversations, run);
  const isLeft = ({ conversation }: Changes) => !held.erased.has(conversation.id);
  const left = held.erased.size === 0 ? changes : changes.filter(isLeft);
  const rows = held.erased.size === 0 ? all : fold(left);
  await writeRows({ rows, held, recordings: left.flatMap(({ recordings }) => recordings) }, run);
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
