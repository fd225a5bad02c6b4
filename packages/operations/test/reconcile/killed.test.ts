import { expect, test } from 'vitest';
import { makeConversation } from '../../../../test/support/provider/conversation.ts';
import { createEngine } from '../../src/engine.ts';
import { reconcileKind } from '../../src/reconcile/reconcile.ts';
import { aComparison } from './a-comparison.ts';

test('what a worker had fetched and not counted when it was killed is counted by the next, and nothing twice', async () => {
  const ids = Array.from({ length: 45 }, (_, i) => `call_${i + 10}`);
  const line = await aComparison(ids.map((id) => makeConversation({ id, hasAudio: false })));
  line.provider.fail({ kind: 'internal_error', path: /\/call_10$/, times: 'always' });
  const { store } = line.ports;
  let judgements = 0;
  let end: (() => void) | undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  // The first worker stops before it writes that the second twenty are complete: their events are applied.
  const first = reconcileKind({
    ...line.ports,
    store: {
      ...store,
      async judge(...args) {
        judgements += 1;
        if (judgements > 1) await ended;
        await store.judge(...args);
      },
    },
  });
  const run = (kind: ReturnType<typeof reconcileKind>) =>
    createEngine({ store: line.store.operations, kinds: [kind] }).runDue(new AbortController().signal);
  const { id } = await line.store.operations.request({ kind: 'reconcile', filter: {} });
  const running = run(first);
  const WITHIN = { timeout: 20_000 };
  await expect.poll(() => judgements, WITHIN).toBe(2);
  await expect
    .poll(async () => {
      await line.sql(
        `UPDATE operations SET failed = 1, done = 19, lease_until = clock_timestamp() - interval '1 second'`,
      );
      await run(line.kinds.reconcile);
      return (await line.store.operations.get(id))?.status;
    }, WITHIN)
    .toBe('done');
  end?.();
  await running;
  expect(await line.store.operations.get(id)).toMatchObject({
    total: 45,
    done: 44,
    failed: 1,
    message: expect.stringContaining('Fetched 44 transcripts and 0 recordings.'),
  });
  expect(await line.last()).toMatchObject({ listed: '45', complete: '44', fetched: '44', error: null });
  expect(await line.sql(`SELECT count(*)::int AS n FROM webhook_events WHERE origin = 'backfill'`)).toEqual([
    { n: 44 },
  ]);
}, 60_000);
