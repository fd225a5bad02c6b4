import { openConversationRebuilds } from '@landline/store';
import { expect, test } from 'vitest';
import { readTables } from '../../../store/test/support/read-tables.ts';
import { makeConversation, type Account } from '../../../../test/support/provider/conversation.ts';
import { planReconciliation } from '../../src/reconcile/plan-reconciliation.ts';
import { aComparison, minutesAgo, webhook } from './a-comparison.ts';

const A_DAY_AGO = `UPDATE reconciliations SET window_to = window_to - interval '1 day', started_at = started_at - interval '1 day'`;

const call = (id: string, more: Partial<Parameters<typeof makeConversation>[0]> = {}) =>
  makeConversation({ id, hasAudio: false, said: ['Hello', 'مرحبا'], ...more });

/** What a webhook brings of an account where the workspace leaves the turns out. */
const bare = (account: Account): Account => ({ ...account, transcript: [] });

/** As it would be sent without the field. */
function withoutField(account: Account): Account {
  const copy = structuredClone(account);
  Reflect.deleteProperty(copy, 'transcript');
  return copy;
}

const event = (type: string, data: object) =>
  webhook(Buffer.from(JSON.stringify({ type, event_timestamp: minutesAgo(119), data })));

const WORDS = 'SELECT conversation_id AS id, source, content FROM conversation_messages ORDER BY 1, position';
const said = (id: string) => [
  { id, source: 'transcript', content: 'Hello' },
  { id, source: 'transcript', content: 'مرحبا' },
];

test('turns that a webhook left out are fetched, once', async () => {
  const calls = {
    bare: call('bare'),
    field: call('field', { startedAt: minutesAgo(3 * 60) }),
    live: call('live'),
    whole: call('whole'),
    none: call('none', { said: [] }),
    redacted: call('redacted', { said: ['', ''] }),
    young: call('young', { startedAt: minutesAgo(40) }),
    failed: call('failed', { status: 'failed' }),
    before: call('before'),
    erased: call('erased'),
    due: call('due', {
      deletion: { deletion_time_unix_secs: minutesAgo(1), delete_transcript_and_pii: true, delete_audio: false },
    }),
  };
  const line = await aComparison(Object.values(calls));
  const live = { conversation_id: 'live', role: 'user', message: 'Hello?' };
  await line.worker.work([
    event('conversation.message', live),
    event('call_initiation_failure', { conversation_id: 'failed', failure_reason: 'busy' }),
  ]);
  await line.receive(withoutField(calls.field));
  await line.receive(calls.whole);
  for (const one of Object.values(calls)) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    if (!['field', 'whole'].includes(one.conversation_id)) await line.receive(bare(one));
  }
  await line.store.reconcile.judge(new Map([['before', 'complete']]));
  await line.store.reconcile.markErased(['erased']);

  const plan = await planReconciliation({
    store: line.store.reconcile,
    provider: line.client,
    windowHours: 72,
    keepsAudio: true,
    keptDays: {},
    signal: new AbortController().signal,
  });
  expect({ ...plan, missing: plan.missing.toSorted() }).toEqual({
    missing: ['bare', 'field', 'live', 'redacted'],
    withoutRecording: [],
    erased: 1,
    waiting: ['young'],
    unfetchable: [],
    complete: 5,
  });
  line.asked();
  expect(await line.run()).toMatchObject({ status: 'done', total: 4, done: 4, failed: 0 });
  expect(line.asked().toSorted()).toEqual(['/bare', '/field', '/live', '/redacted']);
  expect(line.fetched()).toBe(4);
  expect(await line.last()).toMatchObject({
    listed: '11',
    complete: '9',
    waiting: '1',
    fetched: '4',
    unfetchable: '0',
  });
  expect(await line.completeness()).toEqual({
    ...Object.fromEntries(Object.keys(calls).map((id) => [id, 'complete'])),
    young: 'waiting',
    erased: 'erased',
  });
  const words = ['bare', 'field', 'live', 'whole'].flatMap(said);
  expect((await line.sql(WORDS)).filter(({ id }) => id !== 'redacted')).toEqual(words);

  // As if the worker had died before it noted what it found: what was fetched is here.
  await line.sql(`UPDATE conversations SET completeness = NULL WHERE completeness = 'complete' AND id <> 'before'`);
  expect(await line.run()).toMatchObject({ status: 'done', total: 0 });
  expect(line.asked()).toEqual([]);

  // The same webhook comes again, and a later one without turns: these stay, and a rebuild makes the same rows.
  await line.receive(bare(calls.bare));
  await line.receive(bare(calls.live), minutesAgo(1));
  expect((await line.sql(WORDS)).filter(({ id }) => id !== 'redacted')).toEqual(words);
  const before = await readTables(line);
  const rebuilds = openConversationRebuilds({ databaseUrl: line.url });
  for (const id of ['bare', 'live', 'redacted']) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await rebuilds.rebuild(id)).toMatchObject({ outcome: 'rebuilt' });
  }
  await rebuilds.close();
  expect(await readTables(line)).toEqual(before);
  // Somebody asks for one again that counts as complete.
  expect(await line.fetch('before')).toMatchObject({ status: 'done' });
  expect((await line.sql(WORDS)).filter(({ id }) => id === 'before')).toEqual(said('before'));
}, 60_000);

test('turns that the provider does not give are unfetchable: a call that is gone, and an account that is dead', async () => {
  const [gone, unlisted, dead] = ['gone', 'unlisted', 'dead'].map((id) => call(id));
  if (gone === undefined || unlisted === undefined || dead === undefined) throw new Error('There are three.');
  const line = await aComparison([gone, dead]);
  for (const one of [gone, unlisted, dead]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await line.receive(bare(one));
  }
  const end = line.provider.fail({ kind: 'internal_error', path: /\/gone$/, times: 'always' });
  line.worker.dying.add('dead');
  expect(await line.run()).toMatchObject({ status: 'done', total: 2, failed: 2 });
  expect(await line.completeness()).toEqual({ gone: 'missing', unlisted: 'complete', dead: 'unfetchable' });
  const isDead = 'what the provider gave cannot be applied (an_old_bug)';
  expect(await line.reasons()).toEqual({ dead: isDead, gone: expect.stringContaining('500') });

  // It is deleted: nobody counts its messages any more, and it is asked for by its id.
  end();
  line.provider.conversations.delete('gone');
  expect(await line.run()).toMatchObject({ status: 'done', total: 0 });
  const found = { gone: 'unfetchable', unlisted: 'complete', dead: 'unfetchable' };
  expect(await line.completeness()).toEqual(found);
  line.asked();
  await line.sql(A_DAY_AGO);
  expect(await line.run()).toMatchObject({ status: 'done', total: 0 });
  expect([line.asked(), await line.completeness()]).toEqual([[], found]);
  expect(await line.reasons()).toEqual({ dead: isDead, gone: expect.stringContaining('404') });
  // Somebody asks for it again: the newest reason stands.
  await line.sql(`UPDATE conversations SET completeness_reason = 'of old' WHERE id = 'gone'`);
  expect(await line.fetch('gone')).toMatchObject({ status: 'failed' });
  expect(await line.reasons()).toEqual({ dead: isDead, gone: expect.stringContaining('404') });

  // A webhook with the turns comes after all.
  line.worker.dying.clear();
  await line.receive(dead, minutesAgo(2));
  await line.receive(gone, minutesAgo(2));
  expect(await line.run()).toMatchObject({ status: 'done', total: 0 });
  expect(await line.completeness()).toEqual({ gone: 'complete', unlisted: 'complete', dead: 'complete' });
  expect(await line.reasons()).toEqual({});
}, 60_000);
