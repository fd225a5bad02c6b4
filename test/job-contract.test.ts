import { readFile } from 'node:fs/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startPipe } from './support/pipe.ts';
import { post } from './support/post.ts';

const read = async (name: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(`./jobs/${name}.json`, import.meta.url), 'utf8'));

/** Adds a job as a receiver of any version does. */
const OPTIONS = { attempts: 8, backoff: { type: 'custom' }, removeOnComplete: true, removeOnFail: false };

test('jobs of the oldest version and of the current ones, and with unknown fields, are applied; a job of a future version stays in failed, whole, and can be retried', async () => {
  const pipe = await startPipe();
  onTestFinished(() => pipe.stop());
  const { events } = pipe.queues;
  const future = await read('v4');
  const reference = await read('v2-reference');
  const packed = await read('v3-packed');
  for (const data of [await read('v1-oldest'), future, packed, await read('v1-unknown-fields'), reference]) {
    await events.add('events', data, OPTIONS);
  }
  const current = { conversation_id: 'conv_current', message_id: 'm1', role: 'user', message: 'as it is written now' };
  expect(await post(pipe.receiver.url, JSON.stringify({ type: 'conversation.message', data: current }))).toMatchObject({
    status: 200,
  });
  const worker = await pipe.startWorker();
  // Until it rests in failed, the job of the future version may be the last one that is active.
  const isOver = async () => (await pipe.counts()).events === 1 && (await events.getFailedCount()) === 1;
  await vi.waitUntil(isOver, { timeout: 20_000, interval: 20 });

  const ids = await pipe.sql('SELECT id FROM conversations ORDER BY id');
  expect(ids.map(({ id }) => id)).toEqual([
    'conv_base64',
    'conv_current',
    'conv_oldest',
    'conv_packed',
    'conv_packed_base64',
    'conv_reference',
    'conv_unknown_fields',
  ]);
  expect(await pipe.sql('SELECT content FROM conversation_messages ORDER BY content')).toEqual([
    { content: 'as it is written now' },
    { content: 'fields that nobody knows yet' },
    { content: 'packed, with an é' },
    { content: 'written by the oldest version' },
  ]);
  expect(await pipe.sql('SELECT event_id, url, bytes::int FROM conversation_recordings')).toEqual([
    { event_id: '01234567-89ab-cdef-0123-456789abcdef', url: 's3://calls/conv_reference.mp3', bytes: 4_000_000 },
  ]);
  expect(
    await pipe.sql('SELECT body_reference AS reference FROM webhook_events WHERE body_reference IS NOT NULL'),
  ).toEqual([{ reference: expect.objectContaining({ bytes: 5_333_451, tier: 'another one' }) }]);
  const [job] = await events.getFailed();
  expect(job?.data).toEqual(future);
  expect(job?.failedReason).toMatch(/not a group of events/);
  await vi.waitUntil(() => worker.output().includes('A job rests in failed'), { timeout: 20_000 });

  // The operator retries the job once the workers are newer.
  await worker.stop();
  await job?.retry();
  expect((await events.getWaiting()).map(({ data }) => data)).toEqual([future]);
});
