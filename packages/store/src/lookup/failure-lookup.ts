import { z } from 'zod';
import type { Transactions } from '../connection/transactions.ts';
import type { DeadPosition } from '../ledger/dead-statement.ts';
import { firstHour, gatherFailures, MOST_GROUPS, type GatheredFailures, type Marks } from './failure-groups.ts';
import { groupsStatement, MARKS } from './failure-statements.ts';

/** How far the dead events are grouped. */
export interface FailureStep {
  /** What was looked at so far: the same object in each step. */
  failures: GatheredFailures;
  /** How many dead events this slice had. */
  looked: number;
  /** All dead events down to here are in the groups. */
  position: DeadPosition;
}

/** Groups the dead events of the ledger, and changes nothing. Every method that fails throws a `StoreError`. */
export interface FailureLookup {
  /**
   * Groups all dead events by their fingerprints, slice after slice, the newest first. Without a dead event there is no step.
   *
   * @returns  Whether all were looked at; false where the signal came first.
   */
  groups(options?: { signal?: AbortSignal | undefined }): AsyncGenerator<FailureStep, boolean>;
}

/** Dead events of a slice: the first answer comes soon, and later slices cost fewer statements. */
const FIRST_SLICE = 1_000;
const SLICE = 5_000;

const marksSchema = z.array(z.object({ fingerprint: z.string(), at: z.number(), by: z.string() }));

const partsSchema = z.array(
  z.object({
    fingerprint: z.string(),
    code: z.string().nullable(),
    pattern: z.string().nullable(),
    message: z.string().nullable(),
    type: z.string().nullable(),
    hour: z.number().nullable(),
    count: z.number(),
    first: z.number(),
    last: z.number(),
    died: z.number(),
    example: z.string(),
    looked: z.number(),
    endAt: z.number(),
    endId: z.string(),
  }),
);

/** Makes the look-ups in these transactions. @param sizes  How many dead events are grouped at once, and how many groups are held. */
export function failureLookupOn(
  transactions: Pick<Transactions, 'run'>,
  { first = FIRST_SLICE, later = SLICE, mostGroups = MOST_GROUPS } = {},
): FailureLookup {
  return {
    async *groups({ signal } = {}) {
      const since = firstHour(Date.now());
      const failures = gatherFailures(await readMarks(transactions), since);
      let after: DeadPosition | undefined;
      for (let limit = first; ; limit = later) {
        if (signal?.aborted) return false;
        const named = failures.fingerprints();
        const statement = groupsStatement({ after, limit, since, named, mostNamed: mostGroups - named.length });
        // oxlint-disable-next-line no-await-in-loop -- each slice begins where the one before ended
        const parts = partsSchema.parse(await transactions.run((run) => run(statement)));
        const [bounds] = parts;
        if (bounds === undefined) return true;
        failures.add(parts);
        after = { receivedAt: bounds.endAt, id: bounds.endId };
        yield { failures, looked: bounds.looked, position: after };
        if (bounds.looked < limit) return true;
      }
    },
  };
}

async function readMarks(transactions: Pick<Transactions, 'run'>): Promise<Marks> {
  const rows = marksSchema.parse(await transactions.run((run) => run(MARKS)));
  return new Map(rows.map(({ fingerprint, ...mark }) => [fingerprint, mark]));
}
