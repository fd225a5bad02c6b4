import { createHash } from 'node:crypto';
import type { Json } from '@landline/webhook/json';
import type { TableName } from '../../packages/store/test/support/read-tables.ts';
import { iso } from './telling-events.ts';
import { VOICES, type Said, type Spoken, type Telling, type ToldEvent, type Voice } from './told-event.ts';

/** The rows that the tables must have, without clocks; in no order. */
export type ReferenceTables = Record<TableName, Said[]>;

const STATUSES = ['initiated', 'in_progress', 'ended', 'processing', 'done', 'failed'];

/** An event of a type that changes tables. */
interface Applied extends ToldEvent {
  id: string;
  tells: Telling;
}

/** An event as one voice among `VOICES`: that of the whole event, or of what it only implies. */
type Voiced = Omit<Applied, 'tells'> & { tells: Omit<Telling, 'voice'> & { voice: Voice } };

/** Something said, by whom, and when; between two sayings of one voice and time the receipt decides, then the ledger id. */
interface Saying<T> {
  value: T;
  voice: Voice;
  at: number;
  receivedAt: number;
  id: string;
}

/**
 * What the tables must hold after a set of events: the rules of docs/what-events-mean.md under Convergence read aloud, with all
 * events at hand and nothing remembered between them. Knows nothing of how the store does it.
 *
 * Where several answers would do, this repeats the one that the code gives, and so cannot tell whether it is a good one: that of
 * two writes at one time and one receipt the greater ledger id stands, which status outranks which, that an unknown role and a null say
 * nothing, and which id names a row.
 */
export function referenceFold(told: readonly ToldEvent[]): ReferenceTables {
  const events = [...new Map(told.map((event) => [event.body, { ...event, id: ledgerId(event.body) }])).values()];
  const applied = events.flatMap((event): Applied[] => (event.tells ? [{ ...event, tells: event.tells }] : []));
  const conversations = [...groupBy(applied, (event) => event.conversationId)];
  const users = groupBy(applied, (event) => event.tells.user?.key);
  return {
    webhook_events: events.map(ledgerRow),
    conversations: conversations.map(([id, its]) => conversationRow(id, its)),
    conversation_messages: conversations.flatMap(([id, its]) => messageRows(id, its)),
    agent_tool_calls: conversations.flatMap(([id, its]) => toolCallRows(id, its)),
    user_commands: conversations.flatMap(([id, its]) => commandRows(id, its)),
    user_profiles: [...users].map(([key, its]) => profileRow(key, its)),
  };
}

/** The first 16 bytes of the SHA-256 of the body, as a uuid. */
export function ledgerId(body: string): string {
  const hex = createHash('sha256').update(body).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

function ledgerRow(event: ToldEvent & { id: string }): Said {
  return {
    id: event.id,
    event_key: event.eventKey,
    type: event.type,
    conversation_id: event.conversationId,
    event_at: iso(event.at),
    origin: 'webhook',
    outcome: event.tells ? 'applied' : 'ignored',
    error: null,
    body: `\\x${Buffer.from(event.body).toString('hex')}`,
  };
}

function conversationRow(id: string, events: Applied[]): Said {
  return {
    id,
    ...NO_CONVERSATION,
    ...conversationColumns(events),
    ...languageOf(events.flatMap(spokenBy)),
    status: statusOf(events),
    started_at: iso(startOf(events)),
    metadata: lastWords(events, (event) => event.tells.metadata),
    created_at: iso(earliest(events)),
    updated_at: iso(latest(events)),
  };
}

/** What is said, and behind it what is only implied. */
function conversationColumns(events: Applied[]): Said {
  const implied = events.map((event) => ({ ...event, tells: { ...event.tells, voice: 'seen' as const } }));
  return {
    ...lastWords(implied, (event) => event.tells.implied ?? {}),
    ...lastWords(events, (event) => event.tells.conversation),
  };
}

/** The last account of the finished call says it; while there is none it only goes up. */
function statusOf(events: Applied[]): string | null {
  const account = inOrder(events.filter((event) => event.tells.isAccount)).at(-1);
  const highest = events.map((event) => event.tells.status).toSorted(by((status) => STATUSES.indexOf(status)));
  return account?.tells.status ?? highest.at(-1) ?? null;
}

/** The start that the most believed voice names, the earliest if it names several; else the earliest event. */
function startOf(events: Applied[]): number {
  const starts = events.map((event) => event.tells.start ?? { at: event.at, voice: 'seen' as const });
  const believed = Math.max(...starts.map(({ voice }) => VOICES.indexOf(voice)));
  return Math.min(...starts.filter(({ voice }) => VOICES.indexOf(voice) === believed).map(({ at }) => at));
}

/** The last transcript that has turns. */
function transcriptOf(events: Applied[]): Applied | undefined {
  return inOrder(events.filter((event) => event.tells.turns.length > 0)).at(-1);
}

function messageRows(conversation_id: string, events: Applied[]): Said[] {
  const transcript = transcriptOf(events);
  if (transcript) {
    return transcript.tells.turns.map(({ at, row }, i) => ({
      ...row,
      conversation_id,
      source: 'transcript',
      event_key: String(i),
      created_at: iso(at),
    }));
  }
  const messages = events.flatMap((event) =>
    event.tells.message ? [{ ...event, ...event.tells.message, of: event }] : [],
  );
  return [...groupBy(messages, messageKey)].flatMap(([event_key, tellings]) => {
    const spoken = tellings.filter(({ row }) => row['content'] !== null);
    const last = inOrder((spoken.length > 0 ? spoken : tellings).map(({ of }) => of)).at(-1);
    if (!last) return [];
    return [{ ...last.tells.message?.row, conversation_id, source: 'live', event_key, created_at: iso(last.at) }];
  });
}

/** Each side counts its messages for itself. */
function messageKey({ id, row, of }: { id: string | undefined; row: Said; of: Applied }): string {
  const named = id ?? of.eventKey;
  return named === null ? of.id : `${typeof row['role'] === 'string' ? row['role'] : 'unknown'}:${named}`;
}

function toolCallRows(conversation_id: string, events: Applied[]): Said[] {
  const transcript = transcriptOf(events);
  if (transcript) {
    return transcript.tells.turnCalls.map(({ id, at, fields }) => ({
      ...NO_TOOL_CALL,
      ...fields,
      conversation_id,
      source: 'transcript',
      request_id: id,
      created_at: iso(at),
    }));
  }
  const calls = events.filter((event) => event.tells.toolCall);
  const byId = groupBy(calls, (event) => event.tells.toolCall?.id ?? event.eventKey ?? event.id);
  return [...byId].map(([request_id, its]) => ({
    ...NO_TOOL_CALL,
    ...lastWords(its, (event) => event.tells.toolCall?.fields ?? {}),
    conversation_id,
    source: 'live',
    request_id,
    created_at: iso(earliest(its)),
  }));
}

function commandRows(conversation_id: string, events: Applied[]): Said[] {
  const commands = events.filter((event) => event.tells.command);
  const byId = groupBy(commands, (event) => event.tells.command?.id ?? event.eventKey ?? event.id);
  return [...byId].map(([action_id, its]) => ({
    ...NO_COMMAND,
    ...lastWords(its, (event) => event.tells.command?.fields ?? {}),
    conversation_id,
    action_id,
    created_at: iso(earliest(its)),
  }));
}

/** A profile outlives its calls: in it the account of a finished call is no more than what is heard in a live one. */
function profileRow(user_id: string, events: Applied[]): Said {
  const spoken = events.flatMap(spokenBy).map((saying) => ({ ...saying, voice: atMostLive(saying.voice) }));
  const heard = events.map((event) => ({ ...event, tells: { ...event.tells, voice: 'live' as const } }));
  const column = ({ tells: { user } }: Applied): Said => ({
    ...(user?.personality !== undefined && { personality: user.personality }),
    ...(user?.phone !== undefined && { phone_number: user.phone }),
  });
  return {
    user_id,
    personality: null,
    phone_number: null,
    ...lastWords(heard, column),
    ...languageOf(spoken),
    attributes: lastWords(heard, (event) => event.tells.user?.attributes ?? {}),
    first_seen_at: iso(earliest(events)),
    last_seen_at: iso(latest(events)),
  };
}

const atMostLive = (voice: Voice): Voice => (voice === 'final' ? 'live' : voice);

function spokenBy({ id, receivedAt, tells: { spoken } }: Applied) {
  return spoken ? [{ value: spoken, voice: spoken.voice, at: spoken.at, receivedAt, id }] : [];
}

/** The language that was said last; its dialect is the one last said together with it, whatever was spoken in between. */
function languageOf(sayings: Saying<Spoken>[]): Said {
  const language = lastWord(sayings)?.language ?? null;
  const withDialect = groupBy(
    sayings.filter(({ value }) => value.dialect !== null),
    ({ value }) => value.language,
  );
  const dialects = Object.fromEntries([...withDialect].map(([name, its]) => [name, lastWord(its)?.dialect ?? null]));
  return { language, dialect: dialects[language ?? ''] ?? null, dialects };
}

/** Each column as it was said last by the most believed voice. */
function lastWords<T extends Voiced>(events: T[], columns: (event: T) => Said): Said {
  const sayings = events.flatMap((event) =>
    Object.entries(columns(event)).map(([name, value]) => ({
      name,
      saying: { value, voice: event.tells.voice, at: event.at, receivedAt: event.receivedAt, id: event.id },
    })),
  );
  const byName = groupBy(sayings, ({ name }) => name);
  return Object.fromEntries(
    [...byName].map(([name, its]): [string, Json] => [name, lastWord(its.map(({ saying }) => saying)) ?? null]),
  );
}

function lastWord<T>(sayings: Saying<T>[]): T | undefined {
  return sayings
    .toSorted(by(({ id }) => id))
    .toSorted(by(({ receivedAt }) => receivedAt))
    .toSorted(by(({ at }) => at))
    .toSorted(by(({ voice }) => VOICES.indexOf(voice)))
    .at(-1)?.value;
}

/** By event time, then receipt, then ledger id. */
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

/** Items by key; those without one are left out. */
function groupBy<T>(items: readonly T[], keyOf: (item: T) => string | undefined): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key !== undefined) groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}

const nothing = (columns: string): Said => Object.fromEntries(columns.split(' ').map((column) => [column, null]));

const NO_CONVERSATION = nothing(
  `agent_id user_id channel direction external_number agent_number call_sid ended_at duration_seconds end_reason \
failure_reason title summary call_successful cost_credits analysis`,
);
const NO_TOOL_CALL = nothing('tool_name tool_type parameters result is_error latency_seconds details');
const NO_COMMAND = nothing('user_id command parameters status details');
