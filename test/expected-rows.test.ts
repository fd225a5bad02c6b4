import { createStore, type Store } from '@landline/store';
import { normalise, type Delivery } from '@landline/webhook';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { EMPTY_TABLES, readTables, type Tables } from '../packages/store/test/support/read-tables.ts';
import { withStore } from '../packages/store/test/support/with-store.ts';
import { callers } from './expected-rows/callers.ts';
import { channels } from './expected-rows/channels.ts';
import { envelopes } from './expected-rows/envelopes.ts';
import { identity } from './expected-rows/identity.ts';
import { languages } from './expected-rows/languages.ts';
import { outcomes } from './expected-rows/outcomes.ts';
import { recordings } from './expected-rows/recordings.ts';
import type { Delivered, Scenario } from './expected-rows/scenario.ts';
import { secrets } from './expected-rows/secrets.ts';
import { ties } from './expected-rows/ties.ts';
import { tools } from './expected-rows/tools.ts';
import { onlyExpectedColumns } from './support/expected-columns.ts';
import { permutations } from './support/permutations.ts';
import { startPipe, type Pipe } from './support/pipe.ts';
import { post, SECRET, signed, unixSeconds } from './support/post.ts';

/** The scenarios by theme. */
const THEMES: Record<string, readonly Scenario[]> = {
  callers,
  channels,
  envelopes,
  identity,
  languages,
  outcomes,
  recordings,
  secrets,
  ties,
  tools,
};

/** How many orders are tried of more than four deliveries. */
const MOST_ORDERS = 24;

const bodyOf = ({ body }: Delivered): string => (typeof body === 'string' ? body : JSON.stringify(body));

describe('through the whole pipe', () => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await startPipe({ SIGNATURE_TOLERANCE_SECONDS: '86400' });
    await pipe.startWorker();
  });
  afterAll(() => pipe.stop());

  async function receive(deliveries: readonly Delivered[]): Promise<void> {
    const began = unixSeconds();
    for (const delivered of deliveries) {
      const body = bodyOf(delivered);
      const headers = signed(body, SECRET, began + (delivered.signed ?? 0));
      expect(await post(pipe.receiver.url, body, { headers })).toMatchObject({ status: 200 });
      // The pause makes the next receipt later, also on a machine that answers within a millisecond.
      const now = Date.now();
      await vi.waitUntil(() => Date.now() > now, { timeout: 20_000, interval: 1 });
    }
    await pipe.untilIdle();
  }

  describe.each(Object.entries(THEMES))('%s', (_theme, scenarios) => {
    test.each(scenarios)('$name', async ({ deliveries, rows }) => {
      await pipe.sql(EMPTY_TABLES);
      await receive(deliveries);
      expect(onlyExpectedColumns(await readTables(pipe), rows)).toEqual(rows);
    });
  });
});

async function apply(store: Store, job: readonly Delivery[]): Promise<void> {
  const events = job.map(normalise);
  await store.apply(events.flatMap((one) => (one.outcome === 'dead' ? [] : [one])));
  const dead = events.flatMap((one) =>
    one.outcome === 'dead' ? [{ entry: one.entry, fault: one.fault, attempts: 1 }] : [],
  );
  if (dead.length > 0) await store.recordDead(dead);
}

/** The ways to apply deliveries. Each way is a list of rounds; the jobs of a round are applied at once. */
function waysOf(order: readonly Delivery[]): Delivery[][][] {
  const half = Math.ceil(order.length / 2);
  const halves = [order.slice(0, half), order.slice(half)];
  return [[[...order]], order.map((one) => [one]), halves, [...halves, [...order]]].map((jobs) =>
    jobs.filter((job) => job.length > 0),
  );
}

/** Returns the tables without the attempts of dead letters: these depend on the way. */
function withoutAttempts(tables: Tables): unknown {
  return JSON.parse(JSON.stringify(tables, (name, value: unknown) => (name === 'attempts' ? undefined : value)));
}

/** Applies a job; like the worker, it retries after a conflict between two workers. */
async function retried(work: () => Promise<void>): Promise<void> {
  for (let left = 20; ; left--) {
    try {
      return await work();
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}

describe('in any order, in any jobs, by two workers at once', () => {
  const context = withStore();
  let other: Store;
  beforeAll(() => {
    other = createStore({ databaseUrl: context.url });
  });
  afterAll(() => other.close());

  const BEGAN = 1_780_000_000;

  /** Makes deliveries as the receiver does: each is received just after it was signed, and after the one before. */
  function deliveryOf(delivered: Delivered, place: number): Delivery {
    const signedAt = BEGAN + (delivered.signed ?? 0);
    const receivedAt = signedAt * 1000 + 100 + place * 20;
    return { receivedAt, signedAt, secretId: 'test', encoding: 'utf8', body: bodyOf(delivered) };
  }

  async function tablesAfter(work: () => Promise<unknown>): Promise<Tables> {
    await context.sql(EMPTY_TABLES);
    await work();
    return readTables(context);
  }

  async function oneByOne(jobs: readonly Delivery[][]): Promise<void> {
    for (const job of jobs) await apply(context.store, job);
  }

  async function atOnce(jobs: readonly Delivery[][]): Promise<void> {
    await Promise.all(jobs.map((job, i) => retried(() => apply(i % 2 === 0 ? context.store : other, job))));
  }

  describe.each(Object.entries(THEMES))('%s', (_theme, scenarios) => {
    test.each(scenarios)('$name', async ({ deliveries, rows, firstDecides }) => {
      const all = deliveries.map(deliveryOf);
      const orders = permutations(all, MOST_ORDERS);
      let first: unknown;
      for (const [i, order] of orders.entries()) {
        for (const jobs of waysOf(order)) {
          const tables = await tablesAfter(() => (i % 4 === 3 ? atOnce(jobs) : oneByOne(jobs)));
          const same = firstDecides ? onlyExpectedColumns(tables, rows) : withoutAttempts(tables);
          first ??= same;
          expect(onlyExpectedColumns(tables, rows)).toEqual(rows);
          expect(same).toEqual(first);
        }
      }
    });
  });
});
