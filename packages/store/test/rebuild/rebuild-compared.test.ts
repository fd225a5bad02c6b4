import { afterAll, beforeAll, expect, test } from 'vitest';
import { openConversationRebuilds } from '../../src/rebuild/conversation-rebuilds.ts';
import { openRebuilds, type Rebuilds } from '../../src/rebuild/rebuilds.ts';
import type { Completeness, ListedCall } from '../../src/reconcile/reconcile.ts';
import { anEvent, AT } from '../support/an-event.ts';
import { readTables } from '../support/read-tables.ts';
import { withStore } from '../support/with-store.ts';

const context = withStore();
let rebuilds: Rebuilds;
beforeAll(() => {
  rebuilds = openRebuilds({ databaseUrl: context.url });
});
afterAll(() => rebuilds.close());

const message = (conversation_id: string, minutes = 0) =>
  anEvent({
    type: 'conversation.message',
    at: AT + minutes * 60_000,
    data: { conversation_id, message: `live ${minutes}`, role: 'user' },
  });

const listed = (id: string): ListedCall => ({
  id,
  agentId: 'listed agent',
  status: 'done',
  startedAt: AT,
  durationSeconds: 60,
  direction: 'inbound',
  title: 'listed title',
  summary: null,
  callSuccessful: null,
  endReason: null,
});

const judge = (verdicts: Record<string, Completeness>) =>
  context.store.reconcile.judge(
    new Map(Object.entries(verdicts)),
    new Map(Object.entries(verdicts).map(([id, verdict]) => [id, `why ${id} is ${verdict}`])),
  );

/** Takes a rebuild to its last step but one; `meanwhile` happens once the ledger is folded and what it cannot give is copied. */
async function rebuild(
  meanwhile: () => Promise<void>,
): Promise<{ schema: string; finish: () => Promise<string | undefined> }> {
  const { id } = await context.store.operations.request({ kind: 'rebuild', filter: {} });
  const claimed = await context.store.operations.claim('rebuild', 60_000);
  const schema = await rebuilds.begin(id, 'code');
  const { bodies } = await rebuilds.readApplied(undefined, { events: 1_000, bytes: 1_000_000 });
  await rebuilds.fold(schema, bodies);
  // oxlint-disable no-await-in-loop -- one step after the other
  while (await rebuilds.makeNextIndex(schema));
  await rebuilds.findCarried(schema);
  while (await rebuilds.copyCarried(schema));
  await meanwhile();
  let state = (await rebuilds.read(schema))?.state;
  while (state !== undefined && state.stage !== 'ready') state = await rebuilds.compareNext(schema, state);
  // oxlint-enable no-await-in-loop
  return { schema, finish: () => rebuilds.finish({ id, fence: claimed?.fence ?? 0 }, schema, { swap: true }) };
}

test('a rebuild keeps what a comparison has found, and shows no difference', async () => {
  const { store } = context;
  await store.apply(['told', 'live', 'erased', 'later'].map((id) => message(id)));
  await store.reconcile.noteListed(['live', 'list alone', 'later'].map(listed));
  await judge({ told: 'complete', live: 'missing', 'list alone': 'open', later: 'waiting' });
  await store.forgetConversations(['erased'], { transcript: true, audio: true });

  const { schema, finish } = await rebuild(async () => {
    await judge({ told: 'unfetchable', 'list alone': 'waiting' });
    await store.reconcile.noteListed([listed('new')]);
    await store.apply([message('new', 1), message('list alone', 1)]);
  });
  // Between the comparison and the swap.
  await judge({ later: 'complete', new: 'missing' });
  await store.reconcile.noteListed([listed('told')]);
  const before = await readTables(context);
  const kept = await finish();
  expect(await rebuilds.differences(kept ?? schema)).toEqual([]);
  const after = await readTables(context);
  expect(after).toEqual(before);
  expect(
    after.conversations.map((row) => [row['id'], row['completeness'], row['completeness_reason'], row['title']]),
  ).toEqual([
    ['erased', 'erased', null, null],
    ['later', 'complete', null, 'listed title'],
    ['list alone', 'waiting', null, 'listed title'],
    ['live', 'missing', 'why live is missing', 'listed title'],
    ['new', 'missing', 'why new is missing', 'listed title'],
    ['told', 'unfetchable', 'why told is unfetchable', 'listed title'],
  ]);

  const alone = openConversationRebuilds({ databaseUrl: context.url });
  for (const id of ['live', 'new', 'told']) expect(await alone.rebuild(id)).toMatchObject({ outcome: 'rebuilt' });
  await alone.close();
  expect(await readTables(context)).toEqual(before);
});
