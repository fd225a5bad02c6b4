import { z } from 'zod';
import { LEDGER } from '../support/ledger.ts';
import { doubledRows, REPEATED, type Doubled } from '../support/count-effects.ts';
import { compareTables } from './compare.ts';
import type { EventLoad } from './event-load.ts';
import type { PostgresServer } from './postgres-server.ts';
import { compareObjects } from './compare-objects.ts';
import type { RecordingStorage } from './recording-storage.ts';
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
  /** Rows, of any table, that are not with every column what the events in the ledger tell of, or are too many or too few. */
  differing: z.number(),
  /** Rows that were compared. */
  rows: z.number(),
  events: z.number(),
  deadLetters: z.number(),
  /** Recordings whose rows were compared with the storage. */
  recordings: z.number().default(0),
  /** Rows and events that name an object which the storage has not, or has with another content. */
  missingObjects: z.number().default(0),
  /** Objects that nothing names. */
  orphans: z.number().default(0),
  /** Files that are left in the spool. */
  spoolFiles: z.number().default(0),
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

/** What is checked: the sender's ledger and what its events tell, against what Postgres holds. */
export interface Checkable {
  sent: SentEvents;
  load: EventLoad;
  postgres: PostgresServer;
  storage: RecordingStorage;
  spoolDir: string;
}

/** Holds all of the sender's ledger against the tables, and each row against the events that tell of it. Nothing may be under way. */
export async function checkAll({ sent, load, postgres, storage, spoolDir }: Checkable): Promise<Checked> {
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
  const rows = doubledRows(await postgres.sqlPatiently(REPEATED));
  const compared = await compareTables({ load, postgres, onEvents: rows.add });
  const objects = await compareObjects({ postgres, storage, spoolDir });
  const doubled = rows.rest();
  const periods = periodsOf(doubled, sent);
  for (const { table, key, effects } of doubled) {
    examples.push(`doubled: ${table} ${key}: ${effects}`);
    blame(periods.get(key) ?? 0, 'doubled');
  }
  const [totals] = await postgres.sqlPatiently(TOTALS);
  const events = Number(totals?.['events']);
  const verdict = {
    ...counts,
    doubled: doubled.length,
    foreign: events - stored,
    altered: Number(totals?.['altered']),
    differing: compared.differing,
    rows: compared.rows,
    events,
    ...objects.counts,
  };
  const shown = [...examples.slice(0, MOST_EXAMPLES), ...compared.examples, ...objects.examples];
  return { verdict, wrong, examples: shown };
}

const TOTALS = `
  SELECT count(*) AS events,
    count(*) FILTER (WHERE body_reference IS NULL AND encode(substring(sha256(body) FOR 16), 'hex') IS DISTINCT FROM replace(id::text, '-', '')) AS altered
  FROM ${LEDGER}`;

/** When the doubled events of the ledger were accepted, by id; a row that several events may have doubled is laid to no period. */
function periodsOf(doubled: readonly Doubled[], sent: SentEvents): Map<string, number> {
  const ids = new Set(doubled.map(({ key }) => key));
  const periods = new Map<string, number>();
  for (let event = 0; ids.size > 0 && event < sent.count(); event++) {
    const { id, period } = sent.get(event);
    if (ids.has(id)) periods.set(id, period);
  }
  return periods;
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
