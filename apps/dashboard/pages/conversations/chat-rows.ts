import type { CommandItem, MessageItem, ToolCallItem } from '../../src/api/contract/conversations.ts';

/** One line of the chat: what somebody said, what the agent called, or what the caller commanded. */
export type ChatRow = { key: string; /** Seconds into the call; null where nobody knows. */ seconds: number | null } & (
  | { kind: 'turn'; turn: MessageItem; number: number }
  | { kind: 'call'; call: ToolCallItem }
  | { kind: 'command'; command: CommandItem }
);

/** What a chat is made of: parts of a ConversationDetail. */
export interface ChatParts {
  started_at: string;
  transcript: readonly MessageItem[];
  calls: readonly ToolCallItem[];
  commands: readonly CommandItem[];
}

/**
 * Lays a conversation out as lines in the order in which they happened.
 *
 * A tool call follows the turn that made it. A call or command without such a turn follows the last turn before its time.
 * A turn of the agent without words is left out: it only carried calls and results.
 */
export function chatRows(parts: ChatParts): ChatRow[] {
  const { transcript } = parts;
  const startedAt = Date.parse(parts.started_at);
  const times = transcript.map(({ created_at }) => Date.parse(created_at));
  const followers = new Map<number, ChatRow[]>();
  const place = (index: number, row: ChatRow): void => {
    const rows = followers.get(index);
    if (rows) rows.push(row);
    else followers.set(index, [row]);
  };
  for (const call of parts.calls) place(turnOfCall(call, transcript, times), callRow(call, startedAt));
  for (const command of parts.commands) {
    const at = Date.parse(command.created_at);
    place(lastBefore(times, at), {
      kind: 'command',
      key: `command:${command.action_id}`,
      seconds: into(at, startedAt),
      command,
    });
  }
  const rows = followers.get(-1) ?? [];
  for (const [index, turn] of transcript.entries()) {
    if (hasWords(turn) || turn.role !== 'agent') rows.push(turnRow(turn, index, startedAt));
    rows.push(...(followers.get(index) ?? []));
  }
  return rows;
}

/** Puts lines that stayed as they were in the place of their copies, so that nobody draws them anew. */
export function keepSame(before: readonly ChatRow[], after: readonly ChatRow[]): readonly ChatRow[] {
  const known = new Map(before.map((row) => [row.key, { row, text: JSON.stringify(row) }]));
  const kept = after.map((row) => {
    const old = known.get(row.key);
    return old?.text === JSON.stringify(row) ? old.row : row;
  });
  const isSame = kept.length === before.length && kept.every((row, index) => row === before[index]);
  return isSame ? before : kept;
}

function turnRow(turn: MessageItem, index: number, startedAt: number): ChatRow {
  const seconds = turn.time_in_call_seconds ?? into(Date.parse(turn.created_at), startedAt);
  return { kind: 'turn', key: `${turn.source}:${turn.event_key}`, seconds, turn, number: index };
}

function callRow(call: ToolCallItem, startedAt: number): ChatRow {
  const seconds = call.time_in_call_seconds ?? into(Date.parse(call.created_at), startedAt);
  return { kind: 'call', key: `call:${call.source}:${call.request_id}`, seconds, call };
}

function hasWords({ content }: MessageItem): boolean {
  return content !== null && content.trim() !== '';
}

/** Returns the index of the turn that a call follows; -1 where it comes before all turns. */
function turnOfCall(call: ToolCallItem, transcript: readonly MessageItem[], times: readonly number[]): number {
  const { position } = call;
  if (position !== null) return transcript.findLastIndex((turn) => turn.position !== null && turn.position <= position);
  const seconds = call.time_in_call_seconds;
  if (seconds !== null && transcript.some((turn) => turn.time_in_call_seconds !== null)) {
    return transcript.findLastIndex(
      (turn) => turn.time_in_call_seconds !== null && turn.time_in_call_seconds <= seconds,
    );
  }
  return lastBefore(times, Date.parse(call.created_at));
}

function lastBefore(times: readonly number[], at: number): number {
  return times.findLastIndex((time) => time <= at);
}

/** Returns how far into the call a moment is, in seconds; null where it is before the start. */
function into(at: number, startedAt: number): number | null {
  const seconds = (at - startedAt) / 1000;
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}
