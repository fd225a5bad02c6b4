import type { ConversationStatus } from '@landline/webhook/changes';
import { fromMs, milliseconds, plainArray, textArray, type Parameter } from '../connection/statement.ts';
import type { Run } from '../connection/transactions.ts';
import { wordsLockStatement } from './words-lock.ts';
import { lockStatement } from '../tables/lock-statement.ts';
import { CONVERSATIONS } from '../tables/merged-tables.ts';
import type { ListedCall } from './reconcile.ts';

// What the list says stands in a conversation's row without a clock: the row's `clocks` have null in its place. So the rules of `MergedTable` need no other
// word for it: any event outranks it, whatever comes first, and among lists the later one stands. A row without the clock of `status`, which every event
// writes, has no event at all: then the first event decides `created_at` and `updated_at` by itself (see merge-statement.ts).

/** The statuses of the provider's list, and ours. */
const STATUSES: Readonly<Record<ListedCall['status'], ConversationStatus>> = {
  initiated: 'initiated',
  'in-progress': 'in_progress',
  processing: 'processing',
  done: 'done',
  failed: 'failed',
};

/** The columns that the list can say, each with the type of its parameter. All are registers. */
const SAID = [
  ['agent_id', 'text'],
  ['status', 'text'],
  ['direction', 'text'],
  ['started_at', 'float8'],
  ['ended_at', 'float8'],
  ['duration_seconds', 'float8'],
  ['end_reason', 'text'],
  ['title', 'text'],
  ['summary', 'text'],
  ['call_successful', 'text'],
] as const;

type SaidColumn = (typeof SAID)[number][0];

/** What of it may be about the caller. The list does not say who that is. */
export const WORDS = ['title', 'summary', 'end_reason'] as const;

const isWord = (name: SaidColumn) => WORDS.some((word) => word === name);

/** The same that may be empty. Every event writes the other two. */
export const LISTED_COLUMNS: readonly string[] = SAID.map(([name]) => name).filter(
  (name) => name !== 'status' && name !== 'started_at',
);

/** The SQL of a register's clock. */
export function clockIn(row: string, register: string): string {
  return `${row}.clocks[${CONVERSATIONS.registers.findIndex(([name]) => name === register) + 1}]`;
}

/** Returns what the list says of a call. Only a call that is over has an end. */
function valuesOf(call: ListedCall): Readonly<Record<SaidColumn, string | number | null>> {
  const { status, startedAt, durationSeconds } = call;
  const isOver = status === 'done' || status === 'failed';
  return {
    agent_id: call.agentId,
    status: STATUSES[status],
    direction: call.direction,
    started_at: startedAt,
    ended_at: isOver ? startedAt + durationSeconds * 1000 : null,
    duration_seconds: isOver ? durationSeconds : null,
    end_reason: call.endReason,
    title: call.title,
    summary: call.summary,
    call_successful: call.callSuccessful,
  };
}

const isTime = (name: string) => name === 'started_at' || name === 'ended_at';

/**
 * Whether no person was erased since a call began: whose call it is nobody knows, and an erasure would not find its words. A start that is unknown, or still to
 * come, is after no erasure.
 */
const MAY_TELL = `(erased.at IS NULL OR (e.is_start_known AND ${fromMs('e.started_at')} > erased.at AND ${fromMs('e.started_at')} <= clock_timestamp()))`;

/** In the precision of its column: else every call would seem to have changed. */
const sent = (name: SaidColumn) => {
  if (isTime(name)) return `${fromMs(`e.${name}`)}::timestamptz(3)`;
  return isWord(name) ? `CASE WHEN ${MAY_TELL} THEN e.${name} END` : `e.${name}`;
};

/** A list says less than before only where a text has gone: then what it said stays, unless it may not be told any more. */
const said = (name: SaidColumn) => {
  const either = `COALESCE(${sent(name)}, t.${name})`;
  return isWord(name) ? `CASE WHEN ${MAY_TELL} THEN ${either} END` : either;
};

const kept = (name: SaidColumn) =>
  `${name} = CASE WHEN ${clockIn('t', name)} IS NULL THEN ${said(name)} ELSE t.${name} END`;

const says = (name: SaidColumn) => `(${clockIn('t', name)} IS NULL AND ${said(name)} IS DISTINCT FROM t.${name})`;

/** Until the comparison has judged it. So whoever clears the words of lists finds each row that may have some. */
const UNJUDGED = `'open'`;

/** The call's own times stand for those of events. */
const TIMES: Readonly<Record<string, string>> = {
  created_at: fromMs('e.started_at'),
  updated_at: fromMs('COALESCE(e.ended_at, e.started_at)'),
};

/** While no event is there. */
const time = ([name, value]: readonly [string, string]) =>
  `${name} = CASE WHEN ${clockIn('t', 'status')} IS NULL THEN ${value} ELSE t.${name} END`;

const NAMES = SAID.map(([name]) => name);

const SENT = `unnest($1::text[], ${SAID.map(([, type], i) => `$${i + 2}::${type}[]`).join(', ')}, $${SAID.length + 2}::boolean[]) AS e (id, ${NAMES.join(', ')}, is_start_known)
    CROSS JOIN (SELECT max(r.requested_at) AS at FROM erasures AS r WHERE r.kind IN ('user', 'number')) AS erased`;

const INSERT = `
    INSERT INTO conversations (id, ${NAMES.join(', ')}, ${Object.keys(TIMES).join(', ')}, completeness, clocks)
    SELECT e.id, ${NAMES.map(sent).join(', ')}, ${Object.values(TIMES).join(', ')}, ${UNJUDGED},
      array_fill(NULL::uuid, ARRAY[${CONVERSATIONS.registers.length}])
    FROM ${SENT}
    ON CONFLICT (id) DO NOTHING`;

const UPDATE = `
    UPDATE conversations AS t SET ${NAMES.map(kept).join(', ')}, ${Object.entries(TIMES).map(time).join(', ')},
      completeness = COALESCE(t.completeness, ${UNJUDGED}), changed_at = DEFAULT
    FROM ${SENT}
    WHERE t.id = e.id AND t.erased_at IS NULL AND (${NAMES.map(says).join(' OR ')})`;

/**
 * Writes what the list says of calls, where no event says it, inside one transaction. It locks rows in the order of an event's transaction: those that it inserts,
 * then the others, each before it is looked at. So whoever was forgotten stays as it is.
 *
 * @param calls  At most one for an id, sorted by id.
 */
export async function writeListed(calls: readonly ListedCall[], run: Run): Promise<void> {
  const parameters = parametersOf(calls);
  // An erasure that begins meanwhile clears the words when this is done: see clear-words.ts.
  await run(wordsLockStatement('shared'));
  await run({ sql: INSERT, parameters });
  await run(lockStatement(calls.map(({ id }) => ({ id, isTranscribed: true }))));
  await run({ sql: UPDATE, parameters });
}

/** Sorts calls by their ids, each once: a statement may touch a row only once. Of one call that is listed twice, the later word stands. */
export function bySortedId(calls: readonly ListedCall[]): ListedCall[] {
  const byId = new Map(calls.map((call) => [call.id, call]));
  return [...byId.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function parametersOf(calls: readonly ListedCall[]): Parameter[] {
  const rows = calls.map(valuesOf);
  const parameter = ([name, type]: (typeof SAID)[number]): Parameter => {
    if (type === 'text') return textArray(rows.map((row) => textOf(row[name])));
    return plainArray(rows.map((row) => milliseconds(Number(row[name] ?? Number.NaN))));
  };
  const isStartKnown = plainArray(calls.map((call) => call.isStartKnown ?? true));
  return [textArray(calls.map(({ id }) => id)), ...SAID.map(parameter), isStartKnown];
}

/** No text of Postgres holds U+0000, or half of a surrogate pair. */
function textOf(value: string | number | null): string | null {
  return value === null ? null : String(value).toWellFormed().replaceAll('\0', '\ufffd');
}
