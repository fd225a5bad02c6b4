import { StoreError, type ApplicableEvent } from '@landline/store';
import { normalise } from '@landline/webhook';
import { canaryBody } from '@landline/webhook/canary';
import { expect, test } from 'vitest';
import { delivery, message, openWork } from './support/work.ts';

const canary = (sentAt: number) => delivery(canaryBody(sentAt).toString());

function read(...deliveries: ReturnType<typeof delivery>[]): ApplicableEvent[] {
  return deliveries.map(normalise).flatMap((event) => (event.outcome === 'dead' ? [] : [event]));
}

/** A mark that keeps what it is told, and fails no matter what. */
function aMark() {
  const noted: number[] = [];
  const note = (sentAt: number) => {
    noted.push(sentAt);
    return new Promise<void>(() => {});
  };
  return { noted, note };
}

test('notes the newest canary of a transaction once it is committed, and waits for nobody', async () => {
  const mark = aMark();
  const work = await openWork({ canaryMark: mark });
  const { pipeline } = work.context;
  await pipeline.commit(read(message('a')));
  expect(mark.noted).toEqual([]);
  await pipeline.commit(
    read(canary(1_767_000_001_000), message('b'), canary(1_767_000_003_000), canary(1_767_000_002_000)),
  );
  expect(mark.noted).toEqual([1_767_000_003_000]);
  expect(await work.store.query('SELECT type FROM webhook_events')).toEqual(
    ['a', 'b'].map(() => ({ type: 'conversation.message' })),
  );
});

test('notes none of a transaction that failed', async () => {
  const mark = aMark();
  const work = await openWork({ canaryMark: mark });
  await work.admin(`ALTER TABLE conversations ADD CONSTRAINT refused CHECK (id <> 'poison')`);
  await expect(work.context.pipeline.commit(read(canary(1_767_000_001_000), message('poison')))).rejects.toThrow(
    StoreError,
  );
  expect(mark.noted).toEqual([]);
});

test('a canary from the future is as new as now', async () => {
  const mark = aMark();
  const work = await openWork({ canaryMark: mark });
  await work.context.pipeline.commit(read(canary(Date.now() + 3_600_000)));
  expect(mark.noted[0]).toBeLessThanOrEqual(Date.now());
});

test('is not told of, nor counted: what is beside it is', async () => {
  const work = await openWork();
  await work.process([canary(1_767_000_001_000), message('conv_1'), canary(1_767_000_002_000)]);
  expect(work.messages()).toEqual(['✅ Message stored: conv_1']);
  const metrics = await work.context.metrics.registry.metrics();
  expect(metrics.match(/^landline_events_processed_total.* [1-9].*/gm)).toEqual([
    'landline_events_processed_total{outcome="applied"} 1',
  ]);
});

test('one that cannot be applied is no dead letter, and its neighbours are applied', async () => {
  const work = await openWork();
  await work.admin(`ALTER TABLE webhook_events ADD CONSTRAINT refused CHECK (type <> 'landline.canary')`);
  await work.process([message('a'), canary(1_767_000_001_000), message('b')]);
  expect(await work.store.query('SELECT type, outcome FROM webhook_events')).toEqual(
    ['a', 'b'].map(() => ({ type: 'conversation.message', outcome: 'applied' })),
  );
  expect(await work.queues.deadLetters.getJobCounts('waiting', 'failed')).toEqual({ waiting: 0, failed: 0 });
  expect(work.log()).not.toContain('💀');
});
