import { z } from 'zod';
import type { Run } from '../connection/transactions.ts';
import {
  addDifferenceStatement,
  compareStatement,
  sampleStatement,
  sliceEndStatement,
  takeSkippedStatement,
  type Slice,
} from './compare-statement.ts';
import { columnsOf } from './follow-changes.ts';
import { REBUILT_TABLES, type RebuiltTable } from './rebuilt-tables.ts';
import type { RebuildState } from './rebuild-state.ts';

/** Conversations or profiles whose rows are compared at once. */
const OWNERS_AT_ONCE = 5_000;

/** Compares the next slice, inside one transaction; returns the state to go on with, whose stage is `ready` behind the last one. */
export async function compareNext(run: Run, schema: string, state: RebuildState): Promise<RebuildState> {
  const table = REBUILT_TABLES[state.table];
  if (table === undefined) return { ...state, stage: 'ready' };
  const [end] = await run(sliceEndStatement(table, state.after, OWNERS_AT_ONCE));
  const upTo = end === undefined ? undefined : String(end['owner']);
  await compareSlice(run, await sliceOf(run, { schema, table, owners: { after: state.after, upTo } }));
  const { after: _, ...rest } = state;
  return upTo === undefined ? { ...rest, table: state.table + 1 } : { ...rest, after: upTo };
}

/** Compares some of the owners that were passed over, inside one transaction. Returns how many there were. */
export async function compareSkipped(run: Run, schema: string): Promise<number> {
  let compared = 0;
  for (const table of REBUILT_TABLES) {
    // oxlint-disable no-await-in-loop -- one table after the other
    const keys = (await run(takeSkippedStatement(schema, table, OWNERS_AT_ONCE))).map(({ key }) => String(key));
    if (keys.length > 0) await compareSlice(run, await sliceOf(run, { schema, table, owners: { keys } }));
    compared += keys.length;
    // oxlint-enable no-await-in-loop
  }
  return compared;
}

async function sliceOf(run: Run, slice: Omit<Slice, 'columns'> & { table: RebuiltTable }): Promise<Slice> {
  return { ...slice, columns: await columnsOf(run, slice.table) };
}

const countsSchema = z.record(z.string(), z.number());

async function compareSlice(run: Run, slice: Slice): Promise<void> {
  const [row = {}] = await run(compareStatement(slice));
  const { added = 0, missing = 0, ...counts } = countsSchema.parse(row);
  const found = [
    ['*', added + missing] as const,
    ...slice.columns.map((name, i) => [name, counts[`c${i + 1}`] ?? 0] as const),
  ];
  for (const [column, rows] of found) {
    // oxlint-disable no-await-in-loop -- one column after the other
    if (rows === 0) continue;
    const examples = (await run(sampleStatement(slice, column))).map(({ example }) => example);
    const difference = { table: slice.table.name, column, rows, sample: JSON.stringify(examples) };
    await run(addDifferenceStatement(slice.schema, difference));
    // oxlint-enable no-await-in-loop
  }
}
