import { z } from 'zod';
import type { Run } from '../connection/transactions.ts';
import {
  carryDayStatement,
  carryOwnersStatement,
  carryUnknownStatement,
  copyAgainStatement,
  copyStatements,
  ERASED_COLUMN,
  listedStatement,
  recordingsStatement,
  uncopiedStatement,
} from './carry-statements.ts';
import { columnsStatement } from './compare-statement.ts';
import { foldFromLedger, type FoldTarget } from './fold-events.ts';
import { BODY_DAYS, takeChangesStatement } from './rebuild-statements.ts';
import { REBUILT_TABLES, type Owner, type RebuiltTable } from './rebuilt-tables.ts';
import type { RebuildState } from './rebuild-state.ts';

/** Events that one transaction takes of what has come since, and owners whose rows it copies. */
const TAKEN_AT_ONCE = 500;
const COPIED_AT_ONCE = 500;

const changesSchema = z.array(z.object({ kind: z.string(), key: z.string(), is_deleted: z.boolean() }));
const uncopiedSchema = z.array(z.object({ kind: z.enum(['conversation', 'profile']), key: z.string() }));

/** What a step of following did. */
export interface Followed {
  events: number;
  /** Whether it took all that was there. */
  isDrained: boolean;
}

/**
 * Takes what has changed since the rebuild began, and does the same in its tables, inside one transaction: folds events that are new or revived, and has rows
 * copied again whose owner is carried over.
 */
export async function followChanges(run: Run, target: FoldTarget): Promise<Followed> {
  const { schema } = target;
  const changes = changesSchema.parse(await run(takeChangesStatement(schema, TAKEN_AT_ONCE)));
  const keysOf = (of: string, isDeleted: boolean) =>
    changes.filter(({ kind, is_deleted }) => kind === of && is_deleted === isDeleted).map(({ key }) => key);
  const events = [...new Set(keysOf('event', false))];
  await foldFromLedger(run, events, target);
  if (events.length > 0) await run(copyAgainStatement(schema, events));
  for (const kind of ['conversation', 'profile'] satisfies Owner[]) {
    for (const isDeleted of [true, false]) {
      const keys = keysOf(kind, isDeleted);
      // oxlint-disable-next-line no-await-in-loop -- one statement after the other
      if (keys.length > 0) await run(carryOwnersStatement(schema, { kind, keys, onlyCarried: !isDeleted }));
    }
  }
  const conversations = keysOf('conversation', false);
  if (conversations.length > 0) await carryUnknown(run, schema, conversations);
  const taken = keysOf('event', false).length;
  return { events: taken, isDrained: taken < TAKEN_AT_ONCE };
}

/** Carries over what the ledger says nothing of, and what no event tells of recordings and of conversations; of all conversations by default. */
export async function carryUnknown(run: Run, schema: string, ids?: readonly string[]): Promise<void> {
  const isErasedKnown = (await run({ sql: ERASED_COLUMN, parameters: [] })).length > 0;
  await run(carryUnknownStatement(schema, isErasedKnown, ids));
  await run(listedStatement(schema, ids));
  const recordings = REBUILT_TABLES.find(({ name }) => name === 'conversation_recordings');
  if (recordings !== undefined) await run(recordingsStatement(schema, await columnsOf(run, recordings), ids));
}

/** Copies the rows of some owners that are carried over; returns whether there may be more. */
export async function copyCarried(run: Run, schema: string): Promise<boolean> {
  const owners = uncopiedSchema.parse(await run(uncopiedStatement(schema, COPIED_AT_ONCE)));
  for (const kind of ['conversation', 'profile'] satisfies Owner[]) {
    const keys = owners.filter((owner) => owner.kind === kind).map(({ key }) => key);
    if (keys.length === 0) continue;
    // oxlint-disable-next-line no-await-in-loop -- one statement after the other
    for (const statement of copyStatements(schema, kind, keys)) await run(statement);
  }
  return owners.length > 0;
}

/** Carries over the conversations of days whose bodies were dropped since it was last looked; returns the state to go on with. */
export async function carryDroppedDays(run: Run, schema: string, state: RebuildState): Promise<RebuildState> {
  const days = await readBodyDays(run);
  const dropped = state.days.filter((day) => !days.includes(day));
  // oxlint-disable-next-line no-await-in-loop -- one statement after the other
  for (const day of dropped) await run(carryDayStatement(schema, day));
  return dropped.length === 0 ? state : { ...state, days };
}

/** The days that have a partition of bodies. */
export async function readBodyDays(run: Run): Promise<string[]> {
  return (await run(BODY_DAYS)).map(({ day }) => String(day));
}

/** The columns of a table beside its key that are compared and copied, as SQL names. */
export async function columnsOf(run: Run, table: RebuiltTable): Promise<string[]> {
  return (await run(columnsStatement(table))).map(({ name }) => String(name));
}
