import { StoreError } from '@landline/store';
import type { Delivery } from '@landline/webhook';
import { expect, test, vi } from 'vitest';
import { recordSpans } from '../../../test/support/recorded-spans.ts';
import { delivery, message, openWork } from './support/work.ts';

const traceOf = (n: number) => n.toString(16).padStart(32, '0');
const spanOf = (n: number) => n.toString(16).padStart(16, '0');

/** An event as a receiver enqueues it that records its spans; the number is that of its request, from 1. */
function requested(n: number, event: Delivery): Delivery {
  return { ...event, traceparent: `00-${traceOf(n)}-${spanOf(n)}-01` };
}

const ROWS = 'SELECT conversation_id, content FROM conversation_messages ORDER BY content';

test('a transaction has a span with a link to the request of each of its events', async () => {
  const { tracing, spans } = recordSpans();
  const work = await openWork({ tracing });
  await work.process([requested(1, message('a', 'call me at +12025550123')), requested(2, delivery('{"type":"new"}'))]);
  const [span, ...others] = spans();
  expect(others).toEqual([]);
  const ids = await work.store.query('SELECT id::text FROM webhook_events ORDER BY type');
  expect(span).toMatchObject({
    name: 'process webhook-events',
    kind: 'CONSUMER',
    parentSpanId: undefined,
    isError: false,
    attributes: {
      'messaging.system': 'bullmq',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'webhook-events',
      'messaging.batch.message_count': 2,
      'landline.events.applied': 1,
      'landline.events.ignored': 1,
      'landline.events.duplicate': 0,
    },
    links: [
      {
        traceId: traceOf(1),
        spanId: spanOf(1),
        attributes: { 'messaging.message.id': ids[0]?.['id'] },
      },
      {
        traceId: traceOf(2),
        spanId: spanOf(2),
        attributes: { 'messaging.message.id': ids[1]?.['id'] },
      },
    ],
  });
  expect(span?.text).not.toMatch(/call me|2025550123|"a"/);
});

test('a hundred requests in a group are one transaction with a hundred links', async () => {
  const { tracing, spans } = recordSpans();
  const work = await openWork({ tracing });
  await work.process(Array.from({ length: 100 }, (_, i) => requested(i + 1, message('a', `word ${i}`))));
  expect(spans().map(({ links }) => links.map(({ spanId }) => spanId))).toEqual([
    Array.from({ length: 100 }, (_, i) => spanOf(i + 1)),
  ]);
});

test('each attempt has a span, and one that failed says with which code', async () => {
  const { tracing, spans } = recordSpans();
  let conflicts = 1;
  const work = await openWork({
    tracing,
    wrap: (store) => ({
      ...store,
      apply: async (events) => {
        if (conflicts-- > 0) throw new StoreError('quotes conv_1', { faultClass: 'conflict', code: '40P01' });
        return store.apply(events);
      },
    }),
  });
  await work.process([requested(1, message('a'))]);
  expect(spans()).toMatchObject([
    {
      isError: true,
      attributes: { 'error.type': '40P01', 'landline.fault.class': 'conflict' },
      links: [{ spanId: spanOf(1) }],
    },
    { isError: false, attributes: { 'landline.events.applied': 1 }, links: [{ spanId: spanOf(1) }] },
  ]);
  expect(spans()[0]?.text).not.toContain('quotes');
  expect(spans()[0]?.traceId).not.toBe(spans()[1]?.traceId);
});

test('a dead event has a span of its recording, and its letter still names the request', async () => {
  const { tracing, spans } = recordSpans();
  const work = await openWork({ tracing });
  await work.process([requested(1, delivery('no JSON'))]);
  expect(spans()).toMatchObject([
    {
      name: 'record_dead webhook-events',
      isError: false,
      attributes: { 'landline.events.dead': 1 },
      links: [{ spanId: spanOf(1), attributes: { 'error.type': 'body_not_json' } }],
    },
  ]);
  const [letter] = await work.queues.deadLetters.getJobs();
  expect(letter?.data).toMatchObject({ events: [{ traceparent: `00-${traceOf(1)}-${spanOf(1)}-01` }] });
});

test('a dead letter that is tried again has a span, which links to the request of long ago', async () => {
  const { tracing, spans } = recordSpans();
  const work = await openWork({ tracing });
  await work.admin(`ALTER TABLE conversations ADD CONSTRAINT refused CHECK (id <> 'poison')`);
  await work.process([requested(1, message('poison'))]);
  await work.admin('ALTER TABLE conversations DROP CONSTRAINT refused');
  const before = spans().length;
  work.letters.start();
  await vi.waitUntil(() => spans().length > before, { timeout: 20_000 });
  expect(spans().slice(before)).toMatchObject([
    {
      name: 'process webhook-dead-letter',
      isError: false,
      attributes: { 'messaging.destination.name': 'webhook-dead-letter', 'landline.events.applied': 1 },
      links: [{ spanId: spanOf(1) }],
    },
  ]);
});

test('events of an older receiver, and of one without an SDK, are applied: their transaction has no link', async () => {
  const { tracing, spans } = recordSpans();
  const work = await openWork({ tracing });
  await work.process([message('a', 'old'), requested(3, message('a', 'new'))]);
  expect(spans().map(({ links }) => links.map(({ spanId }) => spanId))).toEqual([[spanOf(3)]]);
  expect(await work.store.query(ROWS)).toEqual([
    { conversation_id: 'a', content: 'new' },
    { conversation_id: 'a', content: 'old' },
  ]);
});

const withoutTimes = (rows: Record<string, unknown>[]) => rows.map((row) => ({ ...row, applied_at: undefined }));

test('with an SDK and without, the rows are the same', async () => {
  const events = ['one', 'two', 'three'].map((word, i) => requested(i + 1, message('a', word)));
  const { tracing } = recordSpans();
  const [traced, plain] = [await openWork({ tracing }), await openWork()];
  await traced.process(events);
  await plain.process(events);
  const all = 'SELECT * FROM webhook_events ORDER BY id';
  expect(withoutTimes(await traced.store.query(all))).toEqual(withoutTimes(await plain.store.query(all)));
  expect(await traced.store.query(ROWS)).toEqual(await plain.store.query(ROWS));
  expect(await traced.store.query(ROWS)).toHaveLength(3);
});
