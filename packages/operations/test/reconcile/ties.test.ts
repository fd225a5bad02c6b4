import { deliveryOf, type Delivery } from '@landline/webhook/delivery';
import { expect, test } from 'vitest';
import { makeConversation, webhookOf } from '../../../../test/support/provider/conversation.ts';
import { createEngine } from '../../src/engine.ts';
import { replayKind } from '../../src/replay/replay.ts';
import { aComparison } from './a-comparison.ts';

/** An account of one time with a title of its own: as a webhook, or as it is fetched so many hours later. */
function account(id: string, title: string, fetchedAfterHours?: number): Delivery {
  const receivedAt = Date.now() + (fetchedAfterHours ?? 0) * 3_600_000;
  return deliveryOf(webhookOf(makeConversation({ id, title, hasAudio: false }), 1_764_400_000), {
    receivedAt,
    signedAt: 1_764_400_000,
    secretId: 'test',
    ...(fetchedAfterHours !== undefined && { origin: 'backfill' as const }),
  });
}

test('at equal times a webhook outranks what was fetched, in either order, and of what was fetched the later stands', async () => {
  const { worker, sql, store, ports } = await aComparison();
  await worker.work([account('first', 'webhook'), account('first', 'fetched', 2)]);
  await worker.work([account('last', 'fetched', 2), account('last', 'webhook')]);
  await worker.work([account('later', 'fetched later', 3), account('later', 'fetched', 2)]);
  const titles = () => sql('SELECT id, title FROM conversations ORDER BY id');
  const expected = [
    { id: 'first', title: 'webhook' },
    { id: 'last', title: 'webhook' },
    { id: 'later', title: 'fetched later' },
  ];
  expect(await titles()).toEqual(expected);

  // What was dead, and is replayed, is still what was fetched.
  worker.dying.add('last');
  await worker.work([account('last', 'fetched again', 5)]);
  worker.dying.clear();
  const sent: (string | undefined)[] = [];
  const queue = {
    ...ports.queue,
    add: async (job: Parameters<typeof ports.queue.add>[0]) => {
      sent.push(...job.events.map(({ origin }) => origin));
      await ports.queue.add(job);
    },
    states: (ids: readonly string[]) => Promise.resolve(ids.map(() => 'gone' as const)),
    takeBack: () => Promise.resolve([]),
  };
  const letters = { remove: () => Promise.resolve(), renew: () => Promise.resolve() };
  const kind = replayKind({ ledger: store.ledger, queue, letters });
  const { id } = await store.operations.request({ kind: kind.kind, filter: { outcome: 'dead' } });
  await createEngine({ store: store.operations, kinds: [kind] }).runDue(new AbortController().signal);
  expect(await store.operations.get(id)).toMatchObject({ status: 'done', done: 1 });
  expect(sent).toEqual(['backfill']);
  expect(await titles()).toEqual(expected);
});
