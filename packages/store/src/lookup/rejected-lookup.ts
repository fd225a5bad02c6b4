import { z } from 'zod';
import { fromMs, type Statement } from '../connection/statement.ts';
import type { Transactions } from '../connection/transactions.ts';
import { toMs } from '../find/found-event.ts';
import {
  LISTED,
  readListings,
  readRows,
  type RejectedFilter,
  type RejectedListing,
  type RejectedPosition,
  type RejectedRow,
} from '../rejected/rejected-row.ts';
import { isStorable, isUuid } from './given-ids.ts';

/** The refused requests that have one cause. Times in unix milliseconds. */
export interface RejectedCause {
  /** A name of `CAUSES` of packages/webhook. */
  cause: string;
  count: number;
  /** How many of them were readmitted. */
  readmitted: number;
  /** When the first and the last of them were received. */
  first: number;
  last: number;
}

/** Looks refused requests up, and changes nothing. Every method that fails throws a `StoreError`. */
export interface RejectedLookup {
  /** Lists refused requests without their bodies, the newest first. */
  list(
    filter: RejectedFilter,
    page: { after?: RejectedPosition | undefined; limit: number },
  ): Promise<RejectedListing[]>;
  /** Reads one with its body; undefined where there is none. */
  get(id: string): Promise<RejectedRow | undefined>;
  /** Counts them by cause, the most frequent first. */
  causes(filter: RejectedFilter): Promise<RejectedCause[]>;
}

const causesSchema = z.array(
  z.object({ cause: z.string(), count: z.number(), readmitted: z.number(), first: z.number(), last: z.number() }),
);

/** Makes the look-ups in these transactions. */
export function rejectedLookupOn(transactions: Pick<Transactions, 'run'>): RejectedLookup {
  return {
    list: async (filter, page) =>
      canMatch(filter) ? transactions.run(async (run) => readListings(await run(listStatement(filter, page)))) : [],
    get: async (id) =>
      isUuid(id) ? transactions.run(async (run) => readRows(await run(getStatement(id)))[0]) : undefined,
    causes: async (filter) =>
      canMatch(filter) ? transactions.run(async (run) => causesSchema.parse(await run(causesStatement(filter)))) : [],
  };
}

function canMatch({ cause = '' }: RejectedFilter): boolean {
  return isStorable(cause);
}

function conditions({ since, until, cause }: RejectedFilter, after?: RejectedPosition): Statement {
  const parameters: string[] = [];
  const bind = (value: string | number): string => `$${parameters.push(String(value))}::text`;
  const time = (ms: number): string => `${fromMs(`${bind(ms)}::float8`)}::timestamptz(3)`;
  const given = [
    ...(since === undefined ? [] : [`received_at >= ${time(since)}`]),
    ...(until === undefined ? [] : [`received_at < ${time(until)}`]),
    ...(cause === undefined ? [] : [`cause = ${bind(cause)}`]),
    ...(after === undefined ? [] : [`(received_at, id) < (${time(after.receivedAt)}, ${bind(after.id)}::uuid)`]),
  ];
  return { sql: given.length === 0 ? '' : `WHERE ${given.join(' AND ')}`, parameters };
}

function listStatement(
  filter: RejectedFilter,
  { after, limit }: { after?: RejectedPosition | undefined; limit: number },
): Statement {
  const { sql: where, parameters } = conditions(filter, after);
  return {
    sql: `
    SELECT ${LISTED} FROM rejected_requests ${where}
    ORDER BY received_at DESC, id DESC LIMIT $${parameters.length + 1}::text::int`,
    parameters: [...parameters, String(limit)],
  };
}

function getStatement(id: string): Statement {
  return { sql: `SELECT ${LISTED}, body FROM rejected_requests WHERE id = $1::text::uuid`, parameters: [id] };
}

function causesStatement(filter: RejectedFilter): Statement {
  const { sql: where, parameters } = conditions(filter);
  return {
    sql: `
    SELECT cause, count(*)::float8 AS count, count(readmitted_at)::float8 AS readmitted,
      ${toMs('min(received_at)')} AS first, ${toMs('max(received_at)')} AS last
    FROM rejected_requests ${where} GROUP BY cause ORDER BY count(*) DESC, cause`,
    parameters,
  };
}
