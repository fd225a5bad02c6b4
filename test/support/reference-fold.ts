import { createHash } from 'node:crypto';
import type { Json } from '@landline/webhook/json';
import type { TableName } from '../../packages/store/test/support/read-tables.ts';
import { iso } from './event-parts.ts';
import {
  AUTHORITIES,
  type Authority,
  type Columns,
  type DescribedEvent,
  type EventFacts,
  type Spoken,
} from './described-event.ts';

/** The rows that the tables must have, without clocks and in no order. */
export type ReferenceTables = Record<TableName, Columns[]>;

const STATUSES = ['initiated', 'in_progress', 'ended', 'processing', 'done', 'failed'];

/** An event of a type that changes tables. */
interface Applied extends DescribedEvent {
  id: string;
  facts: EventFacts;
}

/** An event with one authority of `AUTHORITIES`: its own, or `seen` for the columns that it only implies. */
type WithAuthority = Omit<Applied, 'facts'> & { facts: Omit<EventFacts, 'authority'> & { authority: Authority } };

/** A value with its authority and time. Between two values of one authority and time the receipt decides, then the ledger id. */
interface ClockedValue<T> {
  value: T;
  authority: Authority;
  at: number;
  receivedAt: number;
  id: string;
}

/**
 * Computes what the tables must hold after a set of events, by the rules of docs/what-events-mean.md under Convergence.
 * It reads all events at once, keeps nothing between them, and shares no code with the store.
 *
 * Where several results would do, the reference repeats the result of the code, so it cannot check these choices:
 *
 * - Of two writes at one time and one receipt the write with the greater ledger id stands.
 * - The order of the statuses.
 * - An unknown role and a null set no column.
 * - Which id names a row.
 */
export function referenceFold(delivered: readonly DescribedEvent[]): ReferenceTables {
  const events = [...new Map(delivered.map((event) => [idOf(event), { ...event, id: idOf(event) }])).values()];
  const applied = events.flatMap((event): Applied[] => (event.facts ? [{ ...event, facts: event.facts }] : []));
  const conversations = [...groupBy(applied, (event) => event.conversationId)];
  const users = groupBy(applied, (event) => event.facts.user?.key);
  return {
    webhook_events: events.map(ledgerRow),
    webhook_bodies: events.map(bodyRow),
    conversations: conversations.map(([id, its]) => conversationRow(id, its)),
    conversation_messages: conversations.flatMap(([id, its]) => messageRows(id, its)),
    agent_tool_calls: conversations.flatMap(([id, its]) => toolCallRows(id, its)),
    user_commands: conversations.flatMap(([id, its]) => commandRows(id, its)),
    conversation_recordings: conversations.flatMap(([id, its]) => recordingRows(id, its)),
    user_profiles: [...users].map(([key, its]) => profileRow(key, its)),
  };
}

/** Returns the ledger id of an event: that of its whole body. */
function idOf({ body, reference }: DescribedEvent): string {
  return reference?.eventId ?? ledgerId(body);
}

/** Returns the first 16 bytes of the SHA-256 of the body, as a uuid. */
export function ledgerId(body: string): string {
  const hex = createHash('sha256').update(body).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

function ledgerRow(event: DescribedEvent & { id: string }): Columns {
  return {
    id: event.id,
    event_key: event.eventKey,
    type: event.type,
    conversation_id: event.conversationId,
    event_at: iso(event.at),
    origin: 'webhook',
    outcome: event.facts ? 'applied' : 'ignored',
    error: null,
    body_bytes: Buffer.byteLength(event.body),
    body_reference: event.reference ?? null,
  };
}

function bodyRow(event: DescribedEvent & { id: string }): Columns {
  return { event_id: event.id, body: `\\x${Buffer.from(event.body).toString('hex')}` };
}

function conversationRow(id: string, events: Applied[]): Columns {
  return {
    id,
    ...NO_CONVERSATION,
    ...conversationColumns(events),
    ...languageOf(events.flatMap(spokenBy)),
    status: statusOf(events),
    started_at: iso(startOf(events)),
    metadata: latestColumns(events, (event) => event.facts.metadata),
    created_at: iso(earliest(events)),
    updated_at: iso(updatedAt(events)),
  };
}

/** Returns the latest time at which an event says something about the call; where none does, the earliest time of all. */
function updatedAt(events: Applied[]): number {
  const telling = events.filter(saysSomething);
  return telling.length > 0 ? latest(telling) : earliest(events);
}

/** Tells whether an event says more than that the call is under way. */
function saysSomething({ facts }: Applied): boolean {
  const { status, conversation, implied = {}, metadata, start, spoken, turns } = facts;
  const columns = [conversation, implied, metadata].flatMap((each) => Object.keys(each));
  const isUnderWay = STATUSES.indexOf(status) <= STATUSES.indexOf('in_progress');
  return !isUnderWay || columns.length > 0 || start !== undefined || spoken !== undefined || turns.length > 0;
}

/** Returns the columns that events set; a column that no event sets has the value that an event implies. */
function conversationColumns(events: Applied[]): Columns {
  const implied = events.map((event) => ({ ...event, facts: { ...event.facts, authority: 'seen' as const } }));
  return {
    ...latestColumns(implied, (event) => event.facts.implied ?? {}),
    ...latestColumns(events, (event) => event.facts.conversation),
  };
}

/** Returns the status of the last account of the finished call; without such an account, the highest status of all events. */
function statusOf(events: Applied[]): string | null {
  const account = inOrder(events.filter((event) => event.facts.isAccount)).at(-1);
  const highest = events.map((event) => event.facts.status).toSorted(by((status) => STATUSES.indexOf(status)));
  return account?.facts.status ?? highest.at(-1) ?? null;
}

/** Returns the earliest start that the highest authority names; the time of the earliest event where no event names a start. */
function startOf(events: Applied[]): number {
  const starts = events.map((event) => event.facts.start ?? { at: event.at, authority: 'seen' as const });
  const believed = Math.max(...starts.map(({ authority }) => AUTHORITIES.indexOf(authority)));
  return Math.min(...starts.filter(({ authority }) => AUTHORITIES.indexOf(authority) === believed).map(({ at }) => at));
}

/** Returns the last transcript that has turns. */
function transcriptOf(events: Applied[]): Applied | undefined {
  return inOrder(events.filter((event) => event.facts.turns.length > 0)).at(-1);
}

function messageRows(conversation_id: string, events: Applied[]): Columns[] {
  const transcript = transcriptOf(events);
  if (transcript) {
    return transcript.facts.turns.map(({ at, row }, i) => ({
      ...row,
      conversation_id,
      source: 'transcript',
      event_key: String(i),
      created_at: iso(at),
    }));
  }
  const messages = events.flatMap((event) =>
    event.facts.message ? [{ ...event, ...event.facts.message, of: event }] : [],
  );
  return [...groupBy(messages, messageKey)].flatMap(([event_key, deliveries]) => {
    const spoken = deliveries.filter(({ row }) => row['content'] !== null);
    const last = inOrder((spoken.length > 0 ? spoken : deliveries).map(({ of }) => of)).at(-1);
    if (!last) return [];
    return [{ ...last.facts.message?.row, conversation_id, source: 'live', event_key, created_at: iso(last.at) }];
  });
}

/** Returns the key of a message: its role and id, because each role numbers its own messages. */
function messageKey({ id, row, of }: { id: string | undefined; row: Columns; of: Applied }): string {
  const named = id ?? of.eventKey;
  return named === null ? of.id : `${typeof row['role'] === 'string' ? row['role'] : 'unknown'}:${named}`;
}

function toolCallRows(conversation_id: string, events: Applied[]): Columns[] {
  const transcript = transcriptOf(events);
  if (transcript) {
    return transcript.facts.turnCalls.map(({ id, at, fields }) => ({
      ...NO_TOOL_CALL,
      ...fields,
      conversation_id,
      source: 'transcript',
      request_id: id,
      created_at: iso(at),
    }));
  }
  const calls = events.filter((event) => event.facts.toolCall);
  const byId = groupBy(calls, (event) => event.facts.toolCall?.id ?? event.eventKey ?? event.id);
  return [...byId].map(([request_id, its]) => ({
    ...NO_TOOL_CALL,
    ...latestColumns(its, (event) => event.facts.toolCall?.fields ?? {}),
    conversation_id,
    source: 'live',
    request_id,
    created_at: iso(earliest(its)),
  }));
}

function commandRows(conversation_id: string, events: Applied[]): Columns[] {
  const commands = events.filter((event) => event.facts.command);
  const byId = groupBy(commands, (event) => event.facts.command?.id ?? event.eventKey ?? event.id);
  return [...byId].map(([action_id, its]) => ({
    ...NO_COMMAND,
    ...latestColumns(its, (event) => event.facts.command?.fields ?? {}),
    conversation_id,
    action_id,
    created_at: iso(earliest(its)),
  }));
}

/** Returns a row for each audio: that of the first event whose audio was kept, else that of the first event. */
function recordingRows(conversation_id: string, events: Applied[]): Columns[] {
  const carried = events
    .toSorted(by(({ id }) => id))
    .toSorted(by(({ at }) => at))
    .flatMap(({ id, at, facts: { recording } }) => (recording ? [{ id, at, recording }] : []));
  return [...groupBy(carried, ({ recording }) => recording.sha256)].flatMap(([sha256, its]) => {
    const first = its.find(({ recording }) => recording.url !== null) ?? its[0];
    if (first === undefined) return [];
    const { url, bytes, storedAt } = first.recording;
    const stored_at = storedAt === null ? null : iso(storedAt);
    const times = { created_at: iso(first.at), stored_at, deleted_at: null };
    return [{ conversation_id, event_id: first.id, url, content_type: 'audio/mpeg', bytes, sha256, ...times }];
  });
}

/** Returns the row of a profile. A profile outlives its calls, so the account of a finished call has no more authority in it than a live event. */
function profileRow(user_id: string, events: Applied[]): Columns {
  const spoken = events.flatMap(spokenBy).map((value) => ({ ...value, authority: atMostLive(value.authority) }));
  const heard = events.map((event) => ({ ...event, facts: { ...event.facts, authority: 'live' as const } }));
  const column = ({ facts: { user } }: Applied): Columns => ({
    ...(user?.personality !== undefined && { personality: user.personality }),
    ...(user?.phone !== undefined && { phone_number: user.phone }),
  });
  return {
    user_id,
    personality: null,
    phone_number: null,
    ...latestColumns(heard, column),
    ...languageOf(spoken),
    attributes: latestColumns(heard, (event) => event.facts.user?.attributes ?? {}),
    first_seen_at: iso(earliest(events)),
    last_seen_at: iso(latest(events)),
  };
}

const atMostLive = (authority: Authority): Authority => (authority === 'final' ? 'live' : authority);

function spokenBy({ id, receivedAt, facts: { spoken } }: Applied) {
  return spoken ? [{ value: spoken, authority: spoken.authority, at: spoken.at, receivedAt, id }] : [];
}

/** Returns the latest language, and the latest dialect that came together with that language, also where other languages came between. */
function languageOf(values: ClockedValue<Spoken>[]): Columns {
  const language = latestValue(values)?.language ?? null;
  const withDialect = groupBy(
    values.filter(({ value }) => value.dialect !== null),
    ({ value }) => value.language,
  );
  const dialects = Object.fromEntries([...withDialect].map(([name, its]) => [name, latestValue(its)?.dialect ?? null]));
  return { language, dialect: dialects[language ?? ''] ?? null, dialects };
}

/** Returns for each column the latest value of the highest authority. */
function latestColumns<T extends WithAuthority>(events: T[], columns: (event: T) => Columns): Columns {
  const values = events.flatMap((event) =>
    Object.entries(columns(event)).map(([name, value]) => ({
      name,
      clocked: { value, authority: event.facts.authority, at: event.at, receivedAt: event.receivedAt, id: event.id },
    })),
  );
  const byName = groupBy(values, ({ name }) => name);
  return Object.fromEntries(
    [...byName].map(([name, its]): [string, Json] => [name, latestValue(its.map(({ clocked }) => clocked)) ?? null]),
  );
}

function latestValue<T>(values: ClockedValue<T>[]): T | undefined {
  return values
    .toSorted(by(({ id }) => id))
    .toSorted(by(({ receivedAt }) => receivedAt))
    .toSorted(by(({ at }) => at))
    .toSorted(by(({ authority }) => AUTHORITIES.indexOf(authority)))
    .at(-1)?.value;
}

/** Sorts by event time, then by receipt, then by ledger id. */
const inOrder = (events: Applied[]): Applied[] =>
  events
    .toSorted(by(({ id }) => id))
    .toSorted(by(({ receivedAt }) => receivedAt))
    .toSorted(by(({ at }) => at));
const earliest = (events: Applied[]): number => Math.min(...events.map(({ at }) => at));
const latest = (events: Applied[]): number => Math.max(...events.map(({ at }) => at));

function by<T>(rank: (item: T) => string | number): (a: T, b: T) => number {
  return (a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0);
}

/** Groups items by key, and leaves out each item without a key. */
function groupBy<T>(items: readonly T[], keyOf: (item: T) => string | undefined): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key !== undefined) groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}

const nothing = (columns: string): Columns => Object.fromEntries(columns.split(' ').map((column) => [column, null]));

const NO_CONVERSATION = nothing(
  `agent_id user_id channel direction external_number agent_number call_sid ended_at duration_seconds end_reason \
failure_reason title summary call_successful cost_credits analysis delete_transcript_at delete_audio_at erased_at completeness \
completeness_reason`,
);
const NO_TOOL_CALL = nothing('tool_name tool_type parameters result is_error latency_seconds details');
const NO_COMMAND = nothing('user_id command parameters status details');
