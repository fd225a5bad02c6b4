import type { Run } from '../connection/transactions.ts';
import { SERVER } from './missing.ts';
import { fromMs } from '../connection/statement.ts';

/** The beat as Postgres has it. Workers count it up each second; a Postgres that has lost its tail has an older one. */
export interface Beat {
  /** Made with the table: a restored database has the one it had, another database has another. */
  identity: string;
  seq: number;
  /** Which server has it: another text after a restart, a failover or a change of servers. */
  server: string;
  /** No job that was not done when this beat was left had been enqueued earlier, in unix ms; undefined: unknown. */
  oldestOpenAt: number | undefined;
}

/** What to leave in the place of the beat that was found; an `oldestOpenAt` that is undefined stays as it was. */
export type NextBeat = (found: Beat) => Promise<Omit<Beat, 'identity' | 'server'>>;

/** Finds the beat, asks `next` while it is locked for all others, and leaves what that says. */
export async function leaveBeat(run: Run, next: NextBeat): Promise<Beat> {
  const found = readBeat((await run(FIND))[0] ?? (await run(BEGIN))[0] ?? {});
  const { seq, oldestOpenAt } = await next(found);
  const left = await run({
    sql: LEAVE,
    parameters: [found.identity, String(seq), oldestOpenAt === undefined ? '' : String(oldestOpenAt)],
  });
  return readBeat(left[0] ?? {});
}

const COLUMNS = `identity::text, seq::float8, ${SERVER} AS server, (extract(epoch FROM oldest_open_at) * 1000)::float8 AS oldest_open_ms`;

const FIND = { sql: `SELECT ${COLUMNS} FROM landline_beat ORDER BY identity LIMIT 1 FOR UPDATE`, parameters: [] };

/** The migration has made the row; somebody may have taken it out since. */
const BEGIN = { sql: `INSERT INTO landline_beat DEFAULT VALUES RETURNING ${COLUMNS}`, parameters: [] };

const LEAVE = `
    UPDATE landline_beat
    SET seq = $2::text::bigint, oldest_open_at = COALESCE(${fromMs(`NULLIF($3::text, '')::float8`)}, oldest_open_at)
    WHERE identity = $1::text::uuid
    RETURNING ${COLUMNS}`;

function readBeat(row: Record<string, unknown>): Beat {
  const openMs = row['oldest_open_ms'];
  return {
    identity: String(row['identity']),
    seq: Number(row['seq']),
    server: String(row['server']),
    oldestOpenAt: typeof openMs === 'number' ? openMs : undefined,
  };
}
