import type { ApplicableEvent } from '../../src/apply.ts';
import { openTransactions, type Run, type Transactions } from '../../src/connection/transactions.ts';
import { storeOn, type Store } from '../../src/store.ts';
import type { RunSql } from './read-tables.ts';

/** A transaction whose statements run one at a time, when the test says so. */
interface Stepped {
  /** `waits`: for the next step. `runs`: a statement, or what is between two. */
  state: 'waits' | 'runs' | 'done';
  pid: number;
  /** Lets it run as far as the next step. */
  go: () => void;
  end: Promise<unknown>;
}

/** What to interleave. */
export interface Interleaving {
  /** One store for each transaction, in their order. */
  stores: readonly SteppedStore[];
  groups: readonly (readonly ApplicableEvent[])[];
  /** Tells whether a transaction stops before a statement; any other runs together with the one before. */
  isStep: (sql: string) => boolean;
  /** Runs SQL beside the transactions. */
  sql: RunSql;
  /** Makes the tables as they are before. */
  begin: () => Promise<unknown>;
  /** Judges the tables at the end; `order` names the transactions step by step. */
  check: (order: string) => Promise<void>;
}

/** A store whose transactions stop before each step. */
export interface SteppedStore {
  apply: (events: readonly ApplicableEvent[], isStep: Interleaving['isStep']) => Stepped;
  close: () => Promise<void>;
}

/**
 * Opens a store that stops before each statement that is a step, and before the commit.
 *
 * @param work  What it does in one transaction, with a store or in the transactions of that store; by default it applies the events.
 */
export function openSteppedStore(
  databaseUrl: string,
  work: (store: Store, events: readonly ApplicableEvent[], stepped: Transactions) => Promise<unknown> = (
    store,
    events,
  ) => store.apply(events),
): SteppedStore {
  const transactions = openTransactions({ databaseUrl, poolSize: 1 });
  return {
    apply(events, isStep) {
      let proceed: (() => void) | undefined;
      const stepped: Stepped = { state: 'runs', pid: 0, go: () => proceed?.(), end: Promise.resolve() };
      const nextStep = () =>
        new Promise<void>((resolve) => {
          proceed = () => {
            stepped.state = 'runs';
            resolve();
          };
          stepped.state = 'waits';
        });
      const steps = inSteps(transactions, { nextStep, isStep, start: (pid) => (stepped.pid = pid) });
      stepped.end = work(storeOn(steps), events, steps).finally(() => (stepped.state = 'done'));
      // The test awaits it at its end; until then a failure is no unhandled rejection.
      stepped.end.catch(() => undefined);
      return stepped;
    },
    close: () => transactions.close(),
  };
}

interface Steps {
  nextStep: () => Promise<void>;
  isStep: (sql: string) => boolean;
  start: (pid: number) => void;
}

function inSteps(transactions: Transactions, { nextStep, isStep, start }: Steps): Transactions {
  return {
    close: () => transactions.close(),
    run: (work) =>
      transactions.run(async (run) => {
        const [row] = await run({ sql: 'SELECT pg_backend_pid() AS pid', parameters: [] });
        start(Number(row?.['pid']));
        const inTurn: Run = async (statement) => {
          if (isStep(statement.sql)) await nextStep();
          return run(statement);
        };
        // What is sent with the COMMIT is a step of its own here: Postgres may run another transaction's statement in between.
        const result = await work(inTurn, async (statement) => void (await inTurn(statement)));
        await nextStep();
        return result;
      }),
  };
}

/**
 * Runs transactions at once in every order of their steps, and `check` after each order. A transaction that waits for a lock is passed
 * over until it has the lock. Returns the number of orders.
 */
export async function inEveryInterleaving(interleaving: Interleaving): Promise<number> {
  let orders = 0;
  /** What is chosen at each step: the place among those that could go on. */
  let choices: number[] = [];
  // oxlint-disable no-await-in-loop -- one order after another
  for (;;) {
    const { widths, order } = await runOnce(interleaving, choices);
    orders++;
    await interleaving.check(order);
    // The next order: the last step with an alternative that was not tried takes it, and the steps behind it begin anew.
    const taken = widths.map((_, step) => choices[step] ?? 0);
    const last = taken.findLastIndex((choice, step) => choice + 1 < (widths[step] ?? 0));
    if (last < 0) return orders;
    choices = [...taken.slice(0, last), (taken[last] ?? 0) + 1];
  }
}

async function runOnce(
  { stores, groups, isStep, sql, begin }: Interleaving,
  choices: readonly number[],
): Promise<{ widths: number[]; order: string }> {
  await begin();
  const all = stores.map((store, i) => store.apply(groups[i] ?? [], isStep));
  const widths: number[] = [];
  let order = '';
  // oxlint-disable no-await-in-loop -- one step after another
  for (const each of all) await untilStill(each, sql);
  while (all.some(({ state }) => state !== 'done')) {
    const ready = all.filter(({ state }) => state === 'waits');
    const next = ready[choices[widths.length] ?? 0];
    if (next !== undefined) {
      widths.push(ready.length);
      order += 'AB'[all.indexOf(next)] ?? '?';
      next.go();
    }
    // With the step, another that waited for a lock may have got it.
    for (const each of all) await untilStill(each, sql);
  }
  // oxlint-enable no-await-in-loop
  await Promise.all(all.map(({ end }) => end));
  return { widths, order };
}

/** Resolves when a transaction stands before a step, waits for a lock, or has ended. */
async function untilStill(stepped: Stepped, sql: RunSql): Promise<void> {
  // oxlint-disable no-await-in-loop -- asking again and again is the point
  while (stepped.state === 'runs') {
    const [row] = await sql(`SELECT cardinality(pg_blocking_pids(${stepped.pid})) > 0 AS is_blocked`);
    if (row?.['is_blocked'] === true) return;
  }
}
