import fc from 'fast-check';
import { createStore, type Store } from '@landline/store';
import { normalise } from '@landline/webhook';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyGroup } from '../apps/worker/src/process/apply-group.ts';
import type { DatabaseGate } from '../apps/worker/src/database/database-gate.ts';
import { EMPTY_TABLES, readTables, type Tables } from '../packages/store/test/support/read-tables.ts';
import { withStore } from '../packages/store/test/support/with-store.ts';
import { eventSet } from './support/event-sets.ts';
import { referenceFold } from './support/reference-fold.ts';
import { SIGNED_AT } from './support/event-parts.ts';
import type { DescribedEvent } from './support/described-event.ts';

/** How many sets: these take about half a minute on two busy cores. A failure prints its seed, which repeats the run. */
const RUNS = 300;

const context = withStore();
/** As many workers as there are stores apply at once. */
let stores: Store[];
beforeAll(() => {
  stores = [context.store, ...Array.from({ length: 3 }, () => createStore({ databaseUrl: context.url }))];
});
afterAll(async () => {
  await Promise.all(stores.slice(1).map((store) => store.close()));
});

/** A gate that never waits: any fault of the database fails the test. */
const NO_PAUSE: DatabaseGate = {
  async wait(error) {
    throw error;
  },
  answers: async () => true,
  isClosed: () => false,
};

/** Applies one group as the worker does, and retries after a conflict; any other failure fails the test. */
async function apply(store: Store, group: readonly DescribedEvent[]): Promise<void> {
  const events = group.flatMap(({ body, receivedAt, reference }) => {
    const delivered = { receivedAt, signedAt: SIGNED_AT / 1000, secretId: 'test', reference };
    const event = normalise({ ...delivered, encoding: 'utf8', body });
    if (event.outcome === 'dead') throw new Error(`dead: ${event.fault.message} ${body}`);
    return [event];
  });
  const result = await applyGroup(events, {
    commit: (applicable) => store.apply(applicable),
    gate: NO_PAUSE,
    attempt: 1,
    lastAttempt: false,
    signal: new AbortController().signal,
  });
  expect(result.faults).toEqual([]);
}

/** Returns the tables after `work`, which begins with empty ones. */
async function tablesAfter(work: () => Promise<unknown>): Promise<Tables> {
  await context.sql(EMPTY_TABLES);
  await work();
  return readTables(context);
}

/** Returns every table's rows without clocks and in one order, as the reference has them. */
function facts(tables: Record<string, Record<string, unknown>[]>): unknown {
  return Object.entries(tables)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([table, rows]) => [table, rows.map(printed).toSorted()]);
}

/** Prints a row as text, the keys of every object sorted. */
function printed(row: object): string {
  return JSON.stringify(row, (name, value: unknown) => {
    if (/clock/.test(name)) return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

test('the tables are a function of the set of events: not of order, batches, repeats or who applies them', async () => {
  const property = fc.asyncProperty(eventSet, async ({ events, groups }) => {
    const inOrder = await tablesAfter(async () => {
      // oxlint-disable-next-line no-await-in-loop -- one by one
      for (const event of events) await apply(context.store, [event]);
    });
    expect(facts(inOrder)).toEqual(facts(referenceFold(events)));

    const applyAtOnce = () =>
      Promise.all(groups.map((group, i) => apply(stores[i % stores.length] ?? context.store, group)));
    expect(await tablesAfter(applyAtOnce)).toEqual(inOrder);

    // The same beside rows that are there: part of the events come again, and the calls are no new ones.
    const onRows = await tablesAfter(async () => {
      await apply(
        context.store,
        events.filter((_, i) => i % 3 === 0),
      );
      await applyAtOnce();
    });
    expect(onRows).toEqual(inOrder);
  });
  await fc.assert(property, { numRuns: RUNS });
  expect(await context.sql('SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()')).toEqual([
    { deadlocks: '0' },
  ]);
}, 400_000);
