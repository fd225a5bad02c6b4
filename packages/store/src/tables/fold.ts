import type {
  Changes,
  ConversationChange,
  MessageChange,
  ProfileChange,
  RecordingChange,
  Register,
  Source,
} from '@landline/webhook/changes';
import type { Clock } from '@landline/webhook/clock';
import { mergeRow, newRow, type MergedRow, type RowChange } from './merged-row.ts';
import type { EachMapOf, MergedTable } from './merged-table.ts';
import { CONVERSATIONS } from './merged-tables.ts';

/** The rows of many events, one for each key, sorted by key so that no two transactions wait for each other in a ring. */
export interface FoldedRows {
  conversations: MergedRow[];
  messages: MessageChange[];
  toolCalls: MergedRow[];
  commands: MergedRow[];
  profiles: MergedRow[];
}

/** The maps that a change carries, each under the name of its column. */
type MapsOf<Change> = EachMapOf<Change, ReadonlyMap<string, Register>>;

const NO_MAPS: RowChange['maps'] = {};

/** Folds the changes of many events into one set of rows per table, by the rules that the SQL keeps. */
export function fold(changes: readonly Changes[]): FoldedRows {
  const conversations = foldConversations(changes);
  const transcripts = new Map(conversations.map((row) => [row.key[0], row.greatestClock]));
  const toolCalls = new Folding();
  const commands = new Folding();
  const profiles = new Folding();
  const messages = new Map<string, MessageChange>();
  for (const { profile, ...rows } of changes) {
    // What is outranked goes before rows are merged: of an older transcript nothing may stay in a newer one's rows.
    for (const message of rows.messages) {
      if (!counts(message, transcripts)) continue;
      const key = keyOf(message.conversation_id, message.source, message.event_key);
      const present = messages.get(key);
      if (!present || message.clock > present.clock) messages.set(key, message);
    }
    for (const call of rows.toolCalls) {
      if (!counts(call, transcripts)) continue;
      toolCalls.add([call.conversation_id, call.source, call.request_id], {
        ...plainRow(call),
        greatestClock: call.clock,
      });
    }
    for (const command of rows.commands) {
      commands.add([command.conversation_id, command.action_id], plainRow(command));
    }
    if (profile) {
      const { user_id, earliest, latest, fields, attributes, dialects } = profile;
      const maps: MapsOf<ProfileChange> = { attributes, dialects };
      profiles.add([user_id], { registers: fields, earliest, latest, greatestClock: null, maps });
    }
  }
  return {
    conversations,
    messages: sorted(messages),
    toolCalls: toolCalls.rows(),
    commands: commands.rows(),
    profiles: profiles.rows(),
  };
}

function foldConversations(changes: readonly Changes[]): MergedRow[] {
  const conversations = new Folding();
  for (const { conversation } of changes) {
    const { id, earliest, latest, fields, metadata, dialects, transcript } = conversation;
    const maps: MapsOf<ConversationChange> = { metadata, dialects };
    const change = { registers: fields, earliest, latest, greatestClock: transcript, maps };
    conversations.add([id], saysNothing(CONVERSATIONS, change) ? { ...change, latest: null } : change);
  }
  return conversations.rows();
}

/** Tells whether an event says nothing of its own about a row: the SQL of `latest` in merge-statement.ts asks the same of stored rows. */
function saysNothing({ implied = {} }: MergedTable, { registers, greatestClock, maps }: RowChange): boolean {
  if (greatestClock !== null) return false;
  for (const name of Object.keys(maps)) if ((maps[name]?.size ?? 0) > 0) return false;
  for (const name of Object.keys(registers)) {
    const bound = implied[name];
    const register = registers[name];
    if (register !== undefined && (bound === undefined || register.clock > bound)) return false;
  }
  return true;
}

/**
 * Leaves out what a stored transcript outranks.
 *
 * @param transcripts  Those of the rows' conversations, with these rows' own merged in.
 */
export function withoutOutranked(
  { messages, toolCalls }: Pick<FoldedRows, 'messages' | 'toolCalls'>,
  transcripts: ReadonlyMap<string | undefined, Clock>,
): Pick<FoldedRows, 'messages' | 'toolCalls'> {
  if (transcripts.size === 0) return { messages, toolCalls };
  return {
    messages: messages.filter((message) => counts(message, transcripts)),
    toolCalls: toolCalls.filter(({ key: [conversation_id = '', source], greatestClock }) =>
      counts(
        { conversation_id, source: source === 'live' ? 'live' : 'transcript', clock: greatestClock ?? '' },
        transcripts,
      ),
    ),
  };
}

/** A transcript outranks a live row, and a later transcript an earlier one. */
function counts(
  row: { conversation_id: string; source: Source; clock: Clock },
  transcripts: ReadonlyMap<string | undefined, Clock | null>,
): boolean {
  const transcript = transcripts.get(row.conversation_id) ?? null;
  return transcript === null || (row.source !== 'live' && row.clock === transcript);
}

/**
 * Folds recordings into one for each conversation and audio, sorted by key: by the rule of `recordingStatement`, so that
 * the order of events does not matter.
 */
export function foldRecordings(recordings: readonly RecordingChange[]): RecordingChange[] {
  const folded = new Map<string, RecordingChange>();
  for (const recording of recordings) {
    const key = keyOf(recording.conversation_id, recording.sha256);
    const present = folded.get(key);
    if (present === undefined || outranks(recording, present)) folded.set(key, recording);
  }
  return sorted(folded);
}

/** One with a URL outranks one without; of two equal in that, the earlier event's outranks the later event's. */
function outranks(recording: RecordingChange, present: RecordingChange): boolean {
  if ((recording.url === null) !== (present.url === null)) return present.url === null;
  if (recording.created_at !== present.created_at) return recording.created_at < present.created_at;
  return recording.event_id < present.event_id;
}

function plainRow({ earliest, fields }: { earliest: number; fields: RowChange['registers'] }): RowChange {
  return { registers: fields, earliest, latest: earliest, greatestClock: null, maps: NO_MAPS };
}

/** U+0000 never stands in a key, so the parts cannot run into each other. */
function keyOf(...parts: readonly string[]): string {
  return parts.join('\0');
}

function sorted<T>(rows: ReadonlyMap<string, T>): T[] {
  return [...rows].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, row]) => row);
}

class Folding {
  readonly #rows = new Map<string, MergedRow>();

  add(key: readonly string[], change: RowChange): void {
    const word = keyOf(...key);
    const present = this.#rows.get(word);
    if (present) mergeRow(present, change);
    else this.#rows.set(word, newRow(key, change));
  }

  rows(): MergedRow[] {
    return sorted(this.#rows);
  }
}
