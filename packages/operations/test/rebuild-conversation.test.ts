import {
  createStore,
  openConversationRebuilds,
  openRebuilds,
  StoreError,
  type ConversationRebuilds,
  type Store,
} from '@landline/store';
import { normalise } from '@landline/webhook';
import { deliveryOf } from '@landline/webhook/delivery';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { messageBody, RECEIVED_AT } from '../../../test/support/dead-ledger.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { createEngine } from '../src/engine.ts';
import { rebuildKind } from '../src/rebuild/rebuild.ts';
import { REBUILD_CONVERSATION, rebuildConversationKind } from '../src/rebuild/rebuild-conversation.ts';

let database: TestDatabase;
let store: Store;
let conversations: ConversationRebuilds;
beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  store = createStore({ databaseUrl: database.url });
  conversations = openConversationRebuilds({ databaseUrl: database.url });
  const facts = { receivedAt: RECEIVED_AT, signedAt: RECEIVED_AT / 1000, secretId: 'test' };
  await store.apply(
    ['one', 'two'].map((words) => {
      const event = normalise(deliveryOf(messageBody('c', words), facts));
      if (event.outcome === 'dead') throw new Error('It is dead.');
      return event;
    }),
  );
});
beforeEach(() => sql(`UPDATE conversation_messages SET content = 'wrong'`));
afterAll(async () => {
  await Promise.all([store.close(), conversations.close()]);
  await database.drop();
});

const sql = (statement: string) => runSql(database.directUrl, statement);
const contents = () => sql('SELECT content FROM conversation_messages ORDER BY content');
const RIGHT = [{ content: 'one' }, { content: 'two' }];

/** Has a worker do it; returns the operation as it ended. */
async function run(
  filter: Record<string, string>,
  rebuild: ConversationRebuilds['rebuild'] = (id) => conversations.rebuild(id),
) {
  const { id } = await store.operations.request({ kind: REBUILD_CONVERSATION, filter });
  const kinds = [rebuildConversationKind({ conversations: { rebuild } })];
  await createEngine({ store: store.operations, kinds }).runDue(new AbortController().signal);
  return store.operations.get(id);
}

test('makes the rows of the conversation anew, and counts its events', async () => {
  expect(await run({ conversation: 'c' })).toMatchObject({
    status: 'done',
    total: 2,
    done: 2,
    failed: 0,
    message: null,
  });
  expect(await contents()).toEqual(RIGHT);
});

test.each([
  ['55P03', 'conflict'],
  ['08006', 'connection'],
] as const)('tries again where Postgres says %s, also where the rows were committed', async (code, faultClass) => {
  const faults = [new StoreError('It happened.', { code, faultClass })];
  const ended = await run({ conversation: 'c' }, async (id) => {
    const rebuilt = await conversations.rebuild(id);
    const fault = faults.pop();
    if (fault !== undefined) throw fault;
    return rebuilt;
  });
  expect(ended).toMatchObject({ status: 'done', done: 2, message: null });
  expect(await contents()).toEqual(RIGHT);
});

test.each([
  [{ conversation: 'unknown' }, 'The ledger has no applied event of this conversation.'],
  [{}, 'The request cannot be read'],
])('fails with %j, and says why', async (filter, message) => {
  expect(await run(filter)).toMatchObject({ status: 'failed', message: expect.stringContaining(message) });
  expect(await contents()).toEqual([{ content: 'wrong' }, { content: 'wrong' }]);
});

test('beside a rebuild of all tables both are done, and nothing is carried over or lost', async () => {
  const rebuilds = openRebuilds({ databaseUrl: database.url });
  const { id } = await store.operations.request({ kind: 'rebuild', filter: { swap: 'yes' } });
  const outcomes = new Set<string>();
  const busy = {
    ...rebuilds,
    async follow(schema: string) {
      outcomes.add((await conversations.rebuild('c')).outcome);
      return rebuilds.follow(schema);
    },
  };
  const kinds = [rebuildKind({ rebuilds: busy, code: () => Promise.resolve('code') })];
  await createEngine({ store: store.operations, kinds }).runDue(new AbortController().signal);
  expect(await store.operations.get(id)).toMatchObject({
    status: 'done',
    message: expect.stringMatching(/^Nothing differs\. The old tables are in landline_before_/),
  });
  expect([...outcomes]).toEqual(['rebuilt']);
  expect(await contents()).toEqual(RIGHT);
  expect(await run({ conversation: 'c' })).toMatchObject({ status: 'done' });
  expect(await contents()).toEqual(RIGHT);
  await rebuilds.close();
});
