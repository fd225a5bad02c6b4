import { z } from 'zod';
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
  /** Ledger rows that nobody sent. */
  foreign: z.number(),
  /** Ledger rows whose bytes are not what was sent. */
  altered: z.number(),
  /** Calls whose messages are not those that their events tell of. */
  incomplete: z.number(),
  events: z.number(),
  deadLetters: z.number(),
});

/** See `verdictSchema`; what is wrong by period as well, and a few examples of it. */
export type Verdict = z.infer<typeof verdictSchema> & { wrong: Map<number, Wrong>; examples: string[] };

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
export async function checkAll(sent: SentEvents, postgres: PostgresServer): Promise<Verdict> {
  const wrong = new Map<number, Wrong>();
  const blame = (period: number, what: keyof Wrong) => {
    const found = wrong.get(period) ?? { lost: 0, doubled: 0 };
    found[what] += 1;
    wrong.set(period, found);
  };
  const examples: string[] = [];
  const verdict = { lost: 0, refusedButStored: 0, innocentDead: 0, deadLetters: 0 };
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
        verdict.lost += 1;
        blame(period, 'lost');
        examples.push(`lost: ${id}`);
      }
      if (isDead !== undefined && isRefused) {
        verdict.refusedButStored += 1;
        examples.push(`refused but stored: ${id}`);
      }
      if (isDead === true) verdict.deadLetters += 1;
      if (isDead === true && !isPoison) {
        verdict.innocentDead += 1;
        examples.push(`innocent but dead: ${id}`);
      }
    }
  }
  let doubles = 0;
  const doubled = await doubledIds(postgres);
  if (doubled.size > 0) {
    for (let event = 0; event < sent.count(); event++) {
      const { id, period, isPoison } = sent.get(event);
      const effects = doubled.get(id);
      if (effects === undefined) continue;
      doubles += 1;
      examples.push(`doubled${isPoison ? ', poison' : ''}: ${id}: ${effects}`);
      blame(period, 'doubled');
    }
  }
  const [totals] = await postgres.sqlPatiently(TOTALS);
  const events = Number(totals?.['events']);
  return {
    ...verdict,
    wrong,
    examples: examples.slice(0, MOST_EXAMPLES),
    doubled: doubles + Number(totals?.['doubled_messages']),
    foreign: events - stored,
    altered: Number(totals?.['altered']),
    incomplete: Number(totals?.['incomplete']),
    events,
  };
}

const TOTALS = `SELECT
  (SELECT count(*) FROM webhook_events) AS events,
  (SELECT count(*) FROM webhook_events WHERE encode(substring(sha256(body) FOR 16), 'hex') <> replace(id::text, '-', '')) AS altered,
  (SELECT count(*) FROM (SELECT FROM message_effects GROUP BY conversation_id, event_key HAVING count(*) > 1) AS d) AS doubled_messages,
  (SELECT count(*) FROM (
     SELECT conversation_id, count(*) FILTER (WHERE type = 'conversation.message') AS live, bool_or(type = 'post_call_transcription') AS has_transcript
     FROM webhook_events WHERE outcome = 'applied' GROUP BY conversation_id
   ) AS told LEFT JOIN (
     SELECT conversation_id, count(*) AS rows FROM conversation_messages GROUP BY conversation_id
   ) AS found USING (conversation_id)
   WHERE coalesce(found.rows, 0) <> CASE WHEN has_transcript THEN 5 ELSE live END) AS incomplete`;

/** Ids with more than one effect, and what these are; a canary may be among them, for it leaves no row to be known by. */
async function doubledIds(postgres: PostgresServer): Promise<Map<string, string>> {
  const rows = await postgres.sqlPatiently(
    `SELECT id, string_agg(effect || ' at ' || at, ', ' ORDER BY at) AS effects FROM effects GROUP BY id HAVING count(*) > 1`,
  );
  return new Map(rows.map(({ id, effects }) => [String(id), String(effects)]));
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
