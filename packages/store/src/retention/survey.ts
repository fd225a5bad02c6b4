import { z } from 'zod';
import { fromMs, type Statement } from '../connection/statement.ts';
import type { Run, Transactions } from '../connection/transactions.ts';
import { toMs } from '../find/found-event.ts';
import { LIST_BODY_DAYS } from './body-statements.ts';
import type { Cutoffs } from './cutoffs.ts';

/** What is due in a place, and what is not. */
export interface PlaceSurvey {
  /** How many would go now. */
  due: number;
  /** Of those that stay, the time that decides about the first one to go, in unix milliseconds; null where none is there. */
  first: number | null;
}

/** What retention finds in each place. */
export interface Survey {
  /** Days of bodies. `bytes`: on the disk, of those that would go; `dead`: dead events among these, which nothing can apply then. */
  bodies: PlaceSurvey & { bytes: number; dead: number };
  /** Events of the ledger, also by outcome. */
  events: PlaceSurvey & { byOutcome: Readonly<Record<string, number>> };
  /** Conversations whose account orders that the transcript be deleted. */
  transcripts: PlaceSurvey;
  /** Conversations with audio whose account orders that it be deleted. */
  audio: PlaceSurvey;
  /** Conversations by their age. */
  conversations: PlaceSurvey;
  /** Recordings by their age. `bytes`: of those that would go. */
  recordings: PlaceSurvey & { bytes: number };
  rejected: PlaceSurvey;
  /** Files that were to be removed before, and are there still. */
  files: PlaceSurvey;
}

const DAY_MS = 86_400_000;

/** Asks what would go now and what is next, each place in a transaction of its own. It changes nothing. @throws StoreError */
export async function survey(cutoffs: Cutoffs, { run }: Pick<Transactions, 'run'>): Promise<Survey> {
  const ask = <T>(schema: z.ZodType<T>, statement: Statement) =>
    run(async (query) => schema.parse((await query(statement))[0] ?? {}));
  const { now, events, conversations, recordings, rejected } = cutoffs;
  const none = { due: 0, first: null };
  return {
    bodies: await run((query) => surveyBodies(cutoffs.bodies, query)),
    events: await run((query) => surveyEvents(events, query)),
    transcripts: await ask(
      placeSchema,
      surveyStatement('conversations', 'delete_transcript_at', { atMost: now, where: 'erased_at IS NULL' }),
    ),
    audio: await ask(
      placeSchema,
      surveyStatement('conversations', 'delete_audio_at', { atMost: now, where: HAS_AUDIO }),
    ),
    conversations:
      conversations === null
        ? none
        : await ask(
            placeSchema,
            surveyStatement('conversations', 'started_at', { before: conversations, where: 'erased_at IS NULL' }),
          ),
    recordings:
      recordings === null
        ? { ...none, bytes: 0 }
        : await ask(
            sizedSchema,
            surveyStatement('conversation_recordings', 'created_at', {
              before: recordings,
              where: 'url IS NOT NULL AND deleted_at IS NULL',
              bytes: 'bytes',
            }),
          ),
    rejected: await ask(placeSchema, surveyStatement('rejected_requests', 'received_at', { before: rejected })),
    files: await ask(placeSchema, {
      sql: `SELECT count(*)::float8 AS due, NULL AS first FROM recordings_to_remove`,
      parameters: [],
    }),
  };
}

const placeSchema = z.object({ due: z.number(), first: z.number().nullable() });
const sizedSchema = placeSchema.extend({ bytes: z.number() });
const daysSchema = z.array(z.object({ day: z.iso.date(), bytes: z.number() }));
const outcomesSchema = z.array(z.object({ outcome: z.string(), events: z.number() }));
const deadSchema = z.tuple([z.object({ dead: z.number() })]);

const HAS_AUDIO = `EXISTS (
      SELECT FROM conversation_recordings AS r WHERE r.conversation_id = t.id AND r.url IS NOT NULL AND r.deleted_at IS NULL)`;

interface Due {
  /** Unix milliseconds; what lies before is due. */
  before?: number;
  /** The same, and what lies at that time is due as well. */
  atMost?: number;
  /** Of `t`. */
  where?: string;
  /** A column whose sum is asked for as well. */
  bytes?: string;
}

/** Counts the rows that are due by a column, and says what it holds in the first row that is not. */
function surveyStatement(table: string, column: string, { before, atMost, where = 'true', bytes }: Due): Statement {
  const cutoff = fromMs('$1::text::float8');
  const [isDue, isNot] = atMost === undefined ? [`< ${cutoff}`, `>= ${cutoff}`] : [`<= ${cutoff}`, `> ${cutoff}`];
  return {
    sql: `
    SELECT due.*, (SELECT ${toMs(`min(t.${column})`)} FROM ${table} AS t WHERE t.${column} ${isNot} AND ${where}) AS first
    FROM (
      SELECT count(*)::float8 AS due${bytes === undefined ? '' : `, COALESCE(sum(t.${bytes}), 0)::float8 AS bytes`}
      FROM ${table} AS t WHERE t.${column} ${isDue} AND ${where}
    ) AS due`,
    parameters: [String(before ?? atMost ?? 0)],
  };
}

async function surveyBodies(before: number, run: Run): Promise<Survey['bodies']> {
  const days = daysSchema.parse(await run(LIST_BODY_DAYS)).map(({ day, bytes }) => ({ at: Date.parse(day), bytes }));
  const due = days.filter(({ at }) => at + DAY_MS <= before);
  const [oldest] = due;
  const dead = oldest === undefined ? 0 : deadSchema.parse(await run(countDead(oldest.at, before)))[0].dead;
  return {
    due: due.length,
    bytes: due.reduce((sum, { bytes }) => sum + bytes, 0),
    dead,
    first: days.find(({ at }) => at + DAY_MS > before)?.at ?? null,
  };
}

function countDead(from: number, before: number): Statement {
  return {
    sql: `
    SELECT count(*)::float8 AS dead FROM webhook_events
    WHERE outcome = 'dead' AND received_at >= ${fromMs('$1::text::float8')} AND received_at < ${fromMs('$2::text::float8')}`,
    parameters: [String(from), String(before)],
  };
}

async function surveyEvents(before: number, run: Run): Promise<Survey['events']> {
  const byOutcome = outcomesSchema.parse(
    await run({
      sql: `
    SELECT outcome, count(*)::float8 AS events FROM webhook_events
    WHERE received_at < ${fromMs('$1::text::float8')} GROUP BY outcome ORDER BY outcome`,
      parameters: [String(before)],
    }),
  );
  const { first } = placeSchema.parse(
    (await run(surveyStatement('webhook_events', 'received_at', { before })))[0] ?? {},
  );
  return {
    due: byOutcome.reduce((sum, { events }) => sum + events, 0),
    byOutcome: Object.fromEntries(byOutcome.map(({ outcome, events }) => [outcome, events])),
    first,
  };
}
