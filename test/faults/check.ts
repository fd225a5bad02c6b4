import { z } from 'zod';
import { UNKNOWN_TYPE } from '../exactly-once/call-events.ts';
import { DOUBLED } from '../support/count-effects.ts';
import type { PostgresServer } from './postgres-server.ts';
import type { SentEvents } from './sent-events.ts';

/** What is wrong with one period's events. */
export interface Wrong {
  lost: number;
  doubled: number;
}

/** What the tables hold, against what the sender knows. */
export const verdictSchema = z.object({
  lost: z.number(),
  doubled: z.number(),
  /** Events that were refused, whenever they were sent, and are in the tables all the same. */
  refusedButStored: z.number(),
  /** Dead letters of events that nothing is wrong with. */
  innocentDead: z.number(),
  /** Poison events that are in the tables, and not as dead letters. */
  poisonApplied: z.number(),
  /** Ledger rows that nobody sent. */
  foreign: z.number(),
  /** Ledger rows whose bytes are not what was sent. */
  altered: z.number(),
  /** Events of a known type that are recorded, and were not applied. */
  ignored: z.number(),
  /** Calls whose rows, in any table, are not as many as their events tell of. */
  incomplete: z.number(),
  events: z.number(),
  deadLetters: z.number(),
});

/** A verdict, what is wrong by period, and a few examples of it. */
export interface Checked {
  verdict: z.infer<typeof verdictSchema>;
  wrong: Map<number, Wrong>;
  examples: string[];
}

const MOST_EXAMPLES = 5;

/** Events asked about in one question. */
const AT_ONCE = 10_000;

/** Looks for events that were accepted and not seen yet, the oldest first. */
export async function lookForUnseen(sent: SentEvents, postgres: PostgresServer): Promise<void> {
  const asked = sent.unseen(AT_ONCE);
  if (asked.length === 0) return;
  for (const { event } of await find(asked, sent, postgres)) sent.seen(event);
}

/** Holds all of the sender's ledger against the tables. Nothing may be under way. */
export async function checkAll(sent: SentEvents, postgres: PostgresServer): Promise<Checked> {
  const wrong = new Map<number, Wrong>();
  const blame = (period: number, what: keyof Wrong) => {
    const found = wrong.get(period) ?? { lost: 0, doubled: 0 };
    found[what] += 1;
    wrong.set(period, found);
  };
  const examples: string[] = [];
  const counts = { lost: 0, refusedButStored: 0, innocentDead: 0, poisonApplied: 0, deadLetters: 0 };
  let stored = 0;
  for (let from = 0; from < sent.count(); from += AT_ONCE) {
    const asked = Array.from({ length: Math.min(AT_ONCE, sent.count() - from) }, (_, i) => from + i);
    // oxlint-disable-next-line no-await-in-loop -- a part after the other
    const found = new Map((await find(asked, sent, postgres)).map(({ event, isDead }) => [event, isDead]));
    stored += found.size;
    for (const event of asked) {
      const { id, isAccepted, isRefused, isPoison, period } = sent.get(event);
      const isDead = found.get(event);
      if (isDead === undefined && isAccepted) {
        counts.lost += 1;
        blame(period, 'lost');
        examples.push(`lost: ${id}`);
      }
      if (isDead !== undefined && isRefused) {
        counts.refusedButStored += 1;
        examples.push(`refused but stored: ${id}`);
      }
      if (isDead === true) counts.deadLetters += 1;
      if (isDead === true && !isPoison) {
        counts.innocentDead += 1;
        examples.push(`innocent but dead: ${id}`);
      }
      if (isDead === false && isPoison) {
        counts.poisonApplied += 1;
        examples.push(`poison, and not dead: ${id}`);
      }
    }
  }
  const doubled = await findDoubled(sent, postgres);
  for (const { what, period } of doubled) {
    examples.push(`doubled: ${what}`);
    blame(period, 'doubled');
  }
  const [totals] = await postgres.sqlPatiently(TOTALS);
  const events = Number(totals?.['events']);
  if (typeof totals?.['missing'] === 'string')
    examples.push(`missing (or, below zero, too many): ${totals['missing']}`);
  const verdict = {
    ...counts,
    doubled: doubled.length,
    foreign: events - stored,
    altered: Number(totals?.['altered']),
    ignored: Number(totals?.['ignored']),
    incomplete: Number(totals?.['incomplete']),
    events,
  };
  return { verdict, wrong, examples: examples.slice(0, MOST_EXAMPLES) };
}

/**
 * Each thing is tallied up where an event tells of it, and down where it stands. A transcript, of five turns and one tool call,
 * takes the place of what was told live.
 */
const TOTALS = `
  WITH told AS (
    SELECT conversation_id AS id,
      bool_or(type = 'post_call_transcription') AS has_transcript,
      count(*) FILTER (WHERE type = 'conversation.message') AS messages,
      count(*) FILTER (WHERE type = 'agent.tool_call') AS tool_calls,
      count(*) FILTER (WHERE type = 'agent.action') AS commands
    FROM webhook_events WHERE outcome = 'applied' GROUP BY conversation_id
  ), tally (id, what, n) AS (
    SELECT id, 'conversation', 1 FROM told
    UNION ALL SELECT id, 'conversation', -1 FROM conversations
    UNION ALL SELECT id, 'message', CASE WHEN has_transcript THEN 5 ELSE messages END FROM told
    UNION ALL SELECT conversation_id, 'message', -1 FROM conversation_messages
    UNION ALL SELECT id, 'tool call', CASE WHEN has_transcript THEN 1 ELSE tool_calls END FROM told
    UNION ALL SELECT conversation_id, 'tool call', -1 FROM agent_tool_calls
    UNION ALL SELECT id, 'command', commands FROM told
    UNION ALL SELECT conversation_id, 'command', -1 FROM user_commands
    UNION ALL SELECT id, 'profile', 1 FROM conversations WHERE user_id IS NOT NULL
    UNION ALL SELECT c.id, 'profile', -1 FROM conversations AS c JOIN user_profiles USING (user_id)
  ), wrong AS (
    SELECT id, what, sum(n) AS n FROM tally GROUP BY id, what HAVING sum(n) <> 0
  )
  SELECT
    (SELECT count(*) FROM webhook_events) AS events,
    (SELECT count(*) FROM webhook_events WHERE encode(substring(sha256(body) FOR 16), 'hex') <> replace(id::text, '-', '')) AS altered,
    (SELECT count(*) FROM webhook_events WHERE outcome = 'ignored' AND type IS DISTINCT FROM '${UNKNOWN_TYPE}') AS ignored,
    (SELECT count(DISTINCT id) FROM wrong) AS incomplete,
    (SELECT format('%s: %s x %s', id, n, what) FROM wrong LIMIT 1) AS missing`;

/** A row's key begins with its call, by one of whose events its period is known. */
const DOUBLED_EVENTS = `
  SELECT concat_ws(' ', in_table, doubled.key) || ': ' || effects AS what, coalesce(ledger.id, doubled.key) AS event
  FROM (${DOUBLED}) AS doubled
  LEFT JOIN (
    SELECT conversation_id, min(id::text) AS id FROM webhook_events GROUP BY conversation_id
  ) AS ledger ON ledger.conversation_id = split_part(doubled.key, ' ', 1)`;

/** What had more than one effect, and the period that it is laid to. */
async function findDoubled(sent: SentEvents, postgres: PostgresServer): Promise<{ what: string; period: number }[]> {
  const rows = await postgres.sqlPatiently(DOUBLED_EVENTS);
  const ids = new Set(rows.map((row) => row['event']));
  const periods = new Map<unknown, number>();
  for (let event = 0; ids.size > 0 && event < sent.count(); event++) {
    const { id, period } = sent.get(event);
    if (ids.has(id)) periods.set(id, period);
  }
  return rows.map(({ what, event }) => ({ what: String(what), period: periods.get(event) ?? 0 }));
}

/** Those of the events that are in the tables. */
async function find(
  events: readonly number[],
  sent: SentEvents,
  postgres: PostgresServer,
): Promise<{ event: number; isDead: boolean }[]> {
  const ids = events.map((event) => sent.get(event).id);
  const rows = await postgres.sqlPatiently(
    `SELECT sent.place::int, ledger.outcome FROM unnest($1::uuid[]) WITH ORDINALITY AS sent (id, place)
     JOIN webhook_events AS ledger USING (id)`,
    [ids],
  );
  return rows.map(({ place, outcome }) => ({ event: events[Number(place) - 1] ?? 0, isDead: outcome === 'dead' }));
}
