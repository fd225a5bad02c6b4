import { expect, test } from 'vitest';
import { makeConversation } from '../../../../test/support/provider/conversation.ts';
import { planReconciliation } from '../../src/reconcile/plan-reconciliation.ts';
import { aComparison, minutesAgo } from './a-comparison.ts';

const HOURS = 60;
const FORBIDDEN = { kind: 'missing_permissions', permission: 'convai_read', times: 'always' } as const;
const idsOf = (count: number) => Array.from({ length: count }, (_, i) => `call_${i + 100}`);
const each = <Value>(ids: readonly string[], value: Value) => Object.fromEntries(ids.map((id) => [id, value]));

test('where no audio may be read, all transcripts are fetched, all calls are counted, and the run says which permission is missing', async () => {
  const ids = idsOf(24);
  // The oldest one lacks its audio, so it would be asked for first in every run.
  const old = makeConversation({ id: 'old', startedAt: minutesAgo(60 * HOURS) });
  const line = await aComparison([old, ...ids.map((id) => makeConversation({ id }))]);
  await line.receive(old);
  const end = line.provider.fail({ ...FORBIDDEN, path: /\/audio$/ });
  for (const [fetched, accounts] of [
    ['24', 24],
    ['0', 0],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- two runs
    const operation = await line.run();
    expect(operation).toMatchObject({ status: 'failed', total: 25, done: 0 });
    expect(operation.message).toContain('convai_read');
    const asked = line.asked();
    expect(asked.filter((path) => !path.endsWith('/audio'))).toHaveLength(accounts);
    expect(asked.length - accounts).toBeLessThanOrEqual(2);
    // oxlint-disable-next-line no-await-in-loop -- two runs
    expect(await line.last()).toMatchObject({ listed: '25', fetched, error: expect.stringContaining('convai_read') });
    // oxlint-disable-next-line no-await-in-loop -- two runs
    expect(await line.completeness()).toEqual(each(['old', ...ids], 'missing'));
    // oxlint-disable-next-line no-await-in-loop -- two runs
    expect(await line.reasons()).toEqual(each(['old', ...ids], expect.stringMatching(/^audio: .*convai_read/)));
  }
  expect(await line.store.reconcile.counts()).toMatchObject({ missing: 25 });
  expect(await line.fetch('old')).toMatchObject({
    status: 'failed',
    message: expect.stringMatching(/convai_read.*[^.]\.$/),
  });
  end();
  expect(await line.run()).toMatchObject({ status: 'done', total: 25, done: 25 });
  expect(await line.completeness()).toEqual(each(['old', ...ids], 'complete'));
}, 60_000);

test('where no transcript may be read, the whole list is walked and counted, audio is fetched, and nobody asks hundreds of times', async () => {
  // More than one page of the list has.
  const ids = idsOf(130);
  const old = makeConversation({ id: 'old', startedAt: minutesAgo(60 * HOURS) });
  const line = await aComparison([old, ...ids.map((id) => makeConversation({ id }))]);
  await line.receive(old);
  // Another one that the provider does not list.
  await line.receive(makeConversation({ id: 'unlisted' }));
  await line.sql(`DELETE FROM webhook_events WHERE conversation_id = 'unlisted'`);
  await line.sql(`UPDATE conversations SET completeness = 'missing', transcript_clock = NULL WHERE id = 'unlisted'`);
  const end = line.provider.fail({ ...FORBIDDEN, path: /\/conversations\/[^/]+$/ });
  const operation = await line.run();
  expect(operation).toMatchObject({ status: 'failed', done: 1 });
  expect(operation.message).toContain('convai_read');
  expect(operation.failed).toBeLessThanOrEqual(2);
  const asked = line.asked();
  expect(asked.filter((path) => path.endsWith('/audio'))).toEqual(['/old/audio']);
  expect(asked.length).toBeLessThanOrEqual(3);
  expect(await line.last()).toMatchObject({ listed: '131', error: expect.stringContaining('convai_read') });
  expect(await line.completeness()).toEqual({ ...each(['unlisted', ...ids], 'missing'), old: 'complete' });
  expect(await line.reasons()).toEqual(each(['unlisted', ...ids], expect.stringContaining('convai_read')));
  expect(await line.store.reconcile.counts()).toMatchObject({ missing: 131 });
  // Who plans is told at once.
  const planning = planReconciliation({
    store: line.store.reconcile,
    provider: line.client,
    windowHours: 72,
    keepsAudio: true,
    keptDays: {},
    signal: new AbortController().signal,
  });
  await expect(planning).rejects.toMatchObject({ permission: 'convai_read' });
  // A key that is refused as a whole ends the run with the list.
  end();
  line.provider.fail({ kind: 'invalid_api_key', path: /./, times: 'always' });
  line.asked();
  expect(await line.run()).toMatchObject({ status: 'failed', total: 0, message: expect.stringContaining('(401') });
  expect(line.asked()).toEqual([]);
}, 60_000);
