import type { MessageChange, ToolCallChange } from '../changes.ts';
import type { Clock } from '../clock.ts';
import { defined, register, type EventContext } from '../event-context.ts';
import { addSeconds } from '../event-time.ts';
import { fieldsOf, type Fields } from '../fields.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { jsonOrText } from '../json-or-text.ts';
import { readRole } from '../role.ts';

/** A transcript as rows: a message a turn, a tool call a request, its result joined from whichever turn has it. */
export interface Transcript {
  messages: MessageChange[];
  toolCalls: ToolCallChange[];
  /** The last language that the agent detected, and when, in unix milliseconds. */
  detectedLanguage: { tag: string; at: number } | null;
}

/** The system tool by which an agent notes a change of language. */
const LANGUAGE_DETECTION = 'language_detection';

/**
 * Reads a transcript's turns.
 *
 * @param turns      `data.transcript`.
 * @param startedAt  When the call began, in unix milliseconds; turns count their seconds from there.
 * @param clock      The clock of everything that this transcript writes.
 */
export function readTranscript(turns: Json[], event: EventContext, startedAt: number, clock: Clock): Transcript {
  const calls = new Map<string, ToolCallChange>();
  const transcript: Transcript = { messages: [], toolCalls: [], detectedLanguage: null };
  for (const [position, turn] of turns.entries()) {
    // A turn that is no object is kept as it is, in the details.
    const fields = fieldsOf(isObject(turn) ? turn : { turn });
    const seconds = secondsIntoCall(fields, startedAt);
    const at = addSeconds(startedAt, seconds ?? 0) ?? startedAt;
    const told = { calls, event, position, at, clock };
    for (const [i, call] of (fields.array('tool_calls') ?? []).entries()) {
      const detected = addCall(told, i, call);
      if (detected !== undefined) transcript.detectedLanguage = { tag: detected, at };
    }
    for (const [i, result] of (fields.array('tool_results') ?? []).entries()) addResult(told, i, result);
    transcript.messages.push(messageOf(fields, event, { position, seconds, at, clock }));
  }
  transcript.toolCalls = [...calls.values()];
  return transcript;
}

/** When a turn began, in seconds after the call; some senders write when that was instead. */
function secondsIntoCall(turn: Fields, startedAt: number): number | undefined {
  const seconds = turn.number('time_in_call_secs');
  if (seconds !== undefined) return seconds;
  const at = turn.time('start_time_unix_secs');
  return at === undefined || at < startedAt ? undefined : (at - startedAt) / 1000;
}

interface Turn {
  calls: Map<string, ToolCallChange>;
  event: EventContext;
  position: number;
  at: number;
  clock: Clock;
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

/** Adds a call; returns the language where the call is the note of one. */
function addCall(turn: Turn, index: number, call: Json): string | undefined {
  const fields = fieldsOf(isObject(call) ? call : { call });
  const row = rowOf(turn, fields.key('request_id') ?? `${turn.position}.${index}`);
  const name = fields.text('tool_name');
  const parameters = jsonOrText(fields.any('params_as_json'));
  Object.assign(
    row.fields,
    defined({
      tool_name: register(name, turn.clock),
      tool_type: register(fields.text('type'), turn.clock),
      parameters: register(parameters, turn.clock),
    }),
  );
  addDetails(row, fields.rest(), turn.clock);
  return name === LANGUAGE_DETECTION && isObject(parameters) ? fieldsOf(parameters).text('language') : undefined;
}

function addResult(turn: Turn, index: number, result: Json): void {
  const fields = fieldsOf(isObject(result) ? result : { result });
  const row = rowOf(turn, fields.key('request_id') ?? `${turn.position}.${index}`);
  const name = register(fields.text('tool_name'), turn.clock);
  const type = register(fields.text('type'), turn.clock);
  Object.assign(
    row.fields,
    defined({
      tool_name: row.fields.tool_name ?? name,
      tool_type: row.fields.tool_type ?? type,
      result: register(jsonOrText(fields.any('result_value')), turn.clock),
      is_error: register(fields.boolean('is_error'), turn.clock),
      latency_seconds: register(fields.number('tool_latency_secs'), turn.clock),
    }),
  );
  const rest = fields.rest();
  // Call and result have fields of the same names: they are kept apart.
  if (Object.keys(rest).length > 0) addDetails(row, { result: rest }, turn.clock);
}

function rowOf(turn: Turn, requestId: string): ToolCallChange {
  const known = turn.calls.get(requestId);
  if (known) return known;
  const row: ToolCallChange = {
    conversation_id: turn.event.conversationId,
    source: 'transcript',
    request_id: requestId,
    clock: turn.clock,
    earliest: turn.at,
    fields: {},
  };
  turn.calls.set(requestId, row);
  return row;
}

/** What the columns have no place for. */
function addDetails(row: ToolCallChange, told: JsonObject, clock: Clock): void {
  const before = row.fields.details?.value;
  const details = { ...(isObject(before) ? before : {}), ...told };
  if (Object.keys(details).length > 0) row.fields.details = { value: details, clock };
}
