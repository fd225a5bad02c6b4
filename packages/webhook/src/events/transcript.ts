import type { MessageChange, ToolCallChange } from '../changes.ts';
import type { Clock } from '../clock.ts';
import type { EventContext } from '../event-context.ts';
import { addSeconds } from '../event-time.ts';
import { fieldsOf, type Fields } from '../fields.ts';
import { isObject, type Json } from '../json.ts';
import type { Language } from '../language.ts';
import { detectedLanguage, LANGUAGE_DETECTION } from '../language-detection.ts';
import { readRole } from '../role.ts';
import { joinToolCalls, type JoinedCall } from './join-tool-calls.ts';
import { readToolsOf, type ToolEntry } from './read-tools.ts';
import { toolCallRow } from './tool-call-row.ts';

/** A transcript as rows: a message for each turn, and a row for each tool call with its result. */
export interface Transcript {
  messages: MessageChange[];
  toolCalls: ToolCallChange[];
  /** The last language that the agent changed to, and the time in unix milliseconds. */
  detected: { spoken: Language; at: number } | null;
}

/** The times of a transcript. */
export interface TranscriptTimes {
  /** The start of the call, in unix milliseconds. Turns count their seconds from it. */
  startedAt: number;
  /** The clock of every value that this transcript writes. */
  clock: Clock;
}

/**
 * Reads a transcript's turns.
 *
 * @param turns  `data.transcript`.
 */
export function readTranscript(turns: Json[], event: EventContext, { startedAt, clock }: TranscriptTimes): Transcript {
  const entries: ToolEntry[] = [];
  const messages: MessageChange[] = [];
  for (const [position, turn] of turns.entries()) {
    // A turn that is no object goes to the details unchanged.
    const fields = fieldsOf(isObject(turn) ? turn : { turn });
    const seconds = secondsIntoCall(fields, startedAt);
    const at = addSeconds(startedAt, seconds ?? 0) ?? startedAt;
    readToolsOf(fields, { position, at }, entries);
    messages.push(messageOf(fields, event, { position, seconds, at, clock }));
  }
  const calls = joinToolCalls(entries);
  return {
    messages,
    toolCalls: calls.map((call) => toolCallRow(call, event.conversationId, clock)),
    detected: lastDetected(calls),
  };
}

/** Returns the start of a turn, in seconds into the call. Some senders write the time instead. */
function secondsIntoCall(turn: Fields, startedAt: number): number | undefined {
  const seconds = turn.number('time_in_call_secs');
  if (seconds !== undefined) return seconds;
  const at = turn.time('start_time_unix_secs');
  return at === undefined || at < startedAt ? undefined : (at - startedAt) / 1000;
}

function messageOf(
  fields: Fields,
  event: EventContext,
  turn: { position: number; seconds: number | undefined; at: number; clock: Clock },
): MessageChange {
  const message: MessageChange = {
    conversation_id: event.conversationId,
    source: 'transcript',
    event_key: String(turn.position),
    clock: turn.clock,
    position: turn.position,
    role: readRole(fields),
    content: fields.text('message') ?? null,
    language: null,
    time_in_call_seconds: turn.seconds ?? null,
    interrupted: fields.boolean('interrupted') ?? null,
    details: {},
    created_at: turn.at,
  };
  message.details = fields.rest();
  return message;
}

function lastDetected(calls: readonly JoinedCall[]): Transcript['detected'] {
  for (const { call, result, at } of calls.toReversed()) {
    if ((call?.name ?? result?.name) !== LANGUAGE_DETECTION) continue;
    const spoken = detectedLanguage({
      parameters: call?.value,
      results: result && [result.rest['result'], result.value],
      isError: result?.isError,
      wasCalled: result?.rest['tool_has_been_called'] ?? call?.rest['tool_has_been_called'],
    });
    if (spoken) return { spoken, at };
  }
  return null;
}
