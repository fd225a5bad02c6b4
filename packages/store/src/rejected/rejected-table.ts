import type { Transactions } from '../connection/transactions.ts';
import { readRows, type RejectedFilter, type RejectedPosition, type RejectedRow } from './rejected-row.ts';
import {
  insertStatement,
  markStatement,
  MAX_BODY_BYTES,
  MAX_ROWS,
  pageStatement,
  pruneBytesStatement,
  pruneRowsStatement,
} from './rejected-statements.ts';

/** After so many bytes of bodies a process looks how many all rows have: 8 MiB. To look reads each row. */
const LOOK_AFTER_BYTES = 8_388_608;

/** The table of refused requests. Every method that fails throws a `StoreError`. */
export interface RejectedTable {
  /** Writes a row, and takes the oldest rows out where there are too many. A row that is there stays as it is. */
  keepRejected(row: RejectedRow): Promise<void>;
  /** Reads rows with their bodies behind a position, the oldest first, at most `limit`: each may have 256 KiB. */
  rejectedPage(
    filter: RejectedFilter,
    page: { after?: RejectedPosition | undefined; limit: number },
  ): Promise<RejectedRow[]>;
  /** Notes that rows were readmitted; `at` in unix milliseconds. */
  markReadmitted(ids: readonly string[], at: number): Promise<void>;
}

/** What the table keeps at most. */
export interface RejectedLimits {
  maxRows?: number;
  maxBodyBytes?: number;
}

/** Makes the table; it works in these transactions. */
export function createRejectedTable(
  transactions: Pick<Transactions, 'run'>,
  { maxRows = MAX_ROWS, maxBodyBytes = MAX_BODY_BYTES }: RejectedLimits = {},
): RejectedTable {
  let unseenBytes = Infinity;
  return {
    keepRejected: (row) =>
      transactions.run(async (run) => {
        await run(insertStatement(row));
        await run(pruneRowsStatement(maxRows));
        unseenBytes += row.body?.length ?? 0;
        if (unseenBytes < Math.min(LOOK_AFTER_BYTES, maxBodyBytes)) return;
        await run(pruneBytesStatement(maxBodyBytes));
        unseenBytes = 0;
      }),
    rejectedPage: (filter, page) => transactions.run(async (run) => readRows(await run(pageStatement(filter, page)))),
    markReadmitted: (ids, at) => transactions.run(async (run) => void (await run(markStatement(ids, at)))),
  };
}
