import { StoreError, type ApplicableEvent } from '@landline/store';
import { normalise } from '@landline/webhook';
import { canaryBody } from '@landline/webhook/canary';
import { expect, test } from 'vitest';
import type { AfterCommit, Committed, RecordedDead } from '../src/commit/after-commit.ts';
import { createPipeline } from '../src/commit/pipeline.ts';
import { delivery, message, openWork, type Work } from './support/work.ts';

function read(...deliveries: ReturnType<typeof delivery>[]): ApplicableEvent[] {
  return deliveries.map(normalise).flatMap((event) => (event.outcome === 'dead' ? [] : [event]));
}

function readDead(body: string) {
  const event = normalise(delivery(body));
  if (event.outcome !== 'dead') throw new Error('It can be applied.');
  return { entry: event.entry, fault: event.fault, attempts: 1 };
}

const idsOf = (events: readonly { entry: { id: string } }[]) => events.map(({ entry }) => entry.id);

function pipelineOf(work: Work, after: AfterCommit) {
  return createPipeline({ store: work.store, after, logger: work.context.logger });
}

function throwing(): void {
  throw new TypeError('quotes +15550001111');
}

async function rejecting(): Promise<void> {
  await Promise.resolve();
  throw new RangeError('quotes +15550001111');
}

test('what follows a commit gets its events and outcomes, in the order of the list, and nothing of a failed one', async () => {
  const work = await openWork();
  await work.admin(`ALTER TABLE conversations ADD CONSTRAINT refused CHECK (id <> 'poison')`);
  const calls: [string, Committed][] = [];
  const pipeline = pipelineOf(work, {
    applied: [
      (committed) => void calls.push(['first', committed]),
      async (committed) => void calls.push(['second', committed]),
    ],
    recordedDead: [],
  });
  const [a, b] = [read(message('a')), read(message('b'))];
  await pipeline.commit(a);
  await pipeline.commitAlone([...a, ...b]);
  await expect(pipeline.commit(read(message('poison')))).rejects.toThrow(StoreError);
  expect(calls.map(([name, { events, outcomes }]) => [name, idsOf(events), [...outcomes.values()].toSorted()])).toEqual(
    [
      ['first', idsOf(a), ['applied']],
      ['second', idsOf(a), ['applied']],
      ['first', idsOf([...a, ...b]), ['applied', 'duplicate']],
      ['second', idsOf([...a, ...b]), ['applied', 'duplicate']],
    ],
  );
});

test('what follows a commit and fails, at once or later, fails neither the commit nor what comes after it', async () => {
  const work = await openWork();
  let reached = 0;
  const listeners = [throwing, rejecting, () => void reached++];
  const pipeline = pipelineOf(work, { applied: listeners, recordedDead: listeners });
  const events = read(message('a'));
  const dead = readDead('[');

  expect(await pipeline.commit(events)).toEqual(new Map([[events[0]?.entry.id, 'applied']]));
  expect(await pipeline.recordDead([dead])).toEqual(new Set([dead.entry.id]));
  expect(reached).toBe(2);
  await new Promise(setImmediate);
  for (const [listener, fault] of [
    ['throwing', 'TypeError'],
    ['rejecting', 'RangeError'],
  ]) {
    expect(work.log().match(new RegExp(`"listener":"${listener}","fault":"${fault}"`, 'g'))).toHaveLength(2);
  }
  expect(work.log()).not.toContain('+1555');
});

test('nobody waits for what follows a commit', async () => {
  const work = await openWork();
  const pipeline = pipelineOf(work, { applied: [() => new Promise<void>(() => {})], recordedDead: [] });
  expect([...(await pipeline.commit(read(message('a')))).values()]).toEqual(['applied']);
});

test('recording dead events is followed by a list of its own', async () => {
  const work = await openWork();
  const applied: Committed[] = [];
  const recorded: RecordedDead[] = [];
  const pipeline = pipelineOf(work, {
    applied: [(committed) => void applied.push(committed)],
    recordedDead: [(committed) => void recorded.push(committed)],
  });
  const dead = readDead('[');
  await pipeline.recordDead([dead]);
  expect(recorded).toEqual([{ events: [dead], ids: new Set([dead.entry.id]) }]);
  expect(applied).toEqual([]);
});

test('after a commit its size is measured, it counts as passed, and one of its events is remembered', async () => {
  const work = await openWork();
  const { pipeline, metrics } = work.context;
  const events = read(message('a'), message('b'), delivery(canaryBody(1_767_000_001_000).toString()));
  await pipeline.commit(events);
  const dead = readDead('[');
  await pipeline.recordDead([dead]);
  await expect(pipeline.commit([])).resolves.toEqual(new Map());

  expect(work.passed.count).toBe(2);
  expect(work.commits.all().map(({ id }) => id)).toEqual([events[0]?.entry.id, dead.entry.id]);
  const text = await metrics.registry.metrics();
  expect(text).toMatch(/^landline_transaction_events_sum(?:\{[^}]*\})? 3$/m);
  expect(text).toMatch(/^landline_transaction_events_count(?:\{[^}]*\})? 2$/m);
});
