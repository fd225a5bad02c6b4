import { readTables, type RunSql } from '../../packages/store/test/support/read-tables.ts';
import { differencesOf, differenceText } from './compare-tables.ts';
import { doubledRows, REPEATED, type Doubled } from './count-effects.ts';
import { referenceFold } from './reference-fold.ts';
import type { ToldEvent } from './told-event.ts';

/** What had more effects than the events tell of; `countEffects` must have been called before. */
export async function doubledAmong(events: readonly ToldEvent[], sql: RunSql): Promise<Doubled[]> {
  const doubled = doubledRows(await sql(REPEATED));
  doubled.add(events);
  return doubled.rest();
}

/** A line for each row, in any table, that is not with every column what the events tell of. */
export async function wrongRows(events: readonly ToldEvent[], sql: RunSql): Promise<string[]> {
  return differencesOf(referenceFold(events), await readTables({ sql })).map(differenceText);
}
