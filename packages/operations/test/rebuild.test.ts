import { createStore, openRebuilds, StoreError, type OperationStore, type Rebuilds, type Store } from '@landline/store';
import { normalise } from '@landline/webhook';
import { deliveryOf } from '@landline/webhook/delivery';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { messageBody, RECEIVED_AT } from '../../../test/support/dead-ledger.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { createEngine } from '../src/engine.ts';
import { rebuildKind } from '../src/rebuild/rebuild.ts';

/** REBUILD=whole: every fault behind every step; else one fault behind the first step of each name. */
const IS_WHOLE = process.env['REBUILD'] === 'whole';

/**
 * What happens behind a step of a rebuild:
 *
 * - `killed`: its worker dies, and nothing of its progress is written.
 * - `left`: its worker leaves.
 * - `unanswered`: the connection breaks after the commit.
 */
const FAULTS = ['killed', 'left', 'unanswered'] as const;
type Fault = (typeof FAULTS)[number];

let database: TestDatabase;
let store: Store;
let rebuilds: Rebuilds;
beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  store = createStore({ databaseUrl: database.url });
  rebuilds = openRebuilds({ databaseUrl: database.url });
  const events = Array.from({ length: 30 }, (_, i) => {
    const facts = { receivedAt: RECEIVED_AT + i, signedAt: RECEIVED_AT / 1000, secretId: 'test' };
    const event = normalise(deliveryOf(messageBody(`c${i % 3}`, `word ${i}`), facts));
    if (event.outcome === 'dead') throw new Error('It is dead.');
    return event;
  });
  await store.apply(events);
  await sql(`DELETE FROM webhook_bodies WHERE event_id = '${events[0]?.entry.id}'`);
});
afterAll(async () => {
  await Promise.all([store.close(), rebuilds.close()]);
  await database.drop();
});

const sql = (statement: string) => runSql(database.directUrl, statement);

/** The rebuilds, of which something happens behind the given step: the first is 0. `steps` has their names. */
function faultyRebuilds(step: number, then: () => void): { rebuilds: Rebuilds; steps: string[] } {
  const steps: string[] = [];
  const faulty = new Proxy(rebuilds, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return async (...args: unknown[]) => {
        const result: unknown = await Reflect.apply(method, target, args);
        if (steps.push(String(name)) === step + 1) then();
        return result;
      };
    },
  });
  return { rebuilds: faulty, steps };
}

/** A worker that runs what is due until a fault. Returns its steps. */
async function work(step = Infinity, fault: Fault = 'left'): Promise<string[]> {
  const leaving = new AbortController();
  const faulty = faultyRebuilds(step, () => {
    if (fault === 'unanswered')
      throw new StoreError('The connection broke.', { faultClass: 'connection', code: '08006' });
    leaving.abort();
    throw new Error('It is dead.');
  });
  const kinds = [rebuildKind({ rebuilds: faulty.rebuilds, code: () => Promise.resolve('code') })];
  await createEngine({ store: fault === 'killed' ? writeNothing() : store.operations, kinds }).runDue(leaving.signal);
  return faulty.steps;
}

function writeNothing(): OperationStore {
  return { ...store.operations, keep: () => Promise.resolve('kept'), release: () => Promise.resolve() };
}

/** Makes the tables wrong, rebuilds and swaps them with a fault behind a step, and expects what must be in the end. Returns the steps. */
async function rebuildWith(step?: number, fault?: Fault): Promise<string[]> {
  await sql(`UPDATE conversation_messages SET content = 'wrong'; UPDATE conversations SET title = 'kept'`);
  const { id } = await store.operations.request({ kind: 'rebuild', filter: { swap: 'yes' } });
  const steps = await work(step, fault);
  await sql(`UPDATE operations SET lease_until = now() WHERE status = 'running'`);
  await work();
  const operation = await store.operations.get(id);
  const kept = await rebuilds.kept();
  const contents = await sql(
    `SELECT conversation_id AS call, content = 'wrong' AS wrong, count(*)::int AS n FROM conversation_messages GROUP BY 1, 2 ORDER BY 1`,
  );
  const leftOver = await sql(`SELECT tgname FROM pg_trigger WHERE tgname LIKE 'landline%'`);
  expect({
    step,
    fault,
    status: operation?.status,
    message: operation?.message,
    contents,
    kept: kept.length,
    leftOver,
  }).toEqual({
    step,
    fault,
    status: 'done',
    message: expect.stringMatching(/^2 columns differ\. The old tables are in landline_before_\d{8}_\d{6}\.$/),
    // The ledger cannot give the first call any more.
    contents: ['c0', 'c1', 'c2'].map((call) => ({ call, wrong: call === 'c0', n: 10 })),
    kept: 1,
    leftOver: [],
  });
  const differences = await rebuilds.differences(kept[0]?.schema ?? '');
  expect(differences.map(({ table, column, rows }) => [table, column, rows])).toEqual([
    ['conversation_messages', 'content', 20],
    ['conversations', 'title', 2],
  ]);
  await rebuilds.drop(kept[0]?.schema ?? '');
  await sql('DELETE FROM operations');
  return steps;
}

test('whatever happens behind whichever step of a rebuild, it ends as if nothing had, and counts no row twice', async () => {
  const steps = await rebuildWith();
  expect(steps.length).toBeGreaterThan(20);
  const chosen = [...steps.keys()].filter((step) => IS_WHOLE || steps.indexOf(steps[step] ?? '') === step);
  for (const [i, step] of chosen.entries()) {
    const faults = FAULTS.filter((_, place) => IS_WHOLE || place === i % FAULTS.length || steps[step] === 'finish');
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (const fault of faults) await rebuildWith(step, fault);
  }
}, 240_000);
