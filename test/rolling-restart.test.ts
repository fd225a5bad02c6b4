import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startApp, type AppProcess } from './support/app-process.ts';
import { startBalancer } from './support/balancer.ts';
import { countEffects } from './support/count-effects.ts';
import { startPipe } from './support/pipe.ts';
import { post, SECRET } from './support/post.ts';
import type { DescribedEvent } from './support/described-event.ts';
import { firstOfLoad } from './support/load-events.ts';
import { doubledAmong, wrongRows } from './support/wrong-rows.ts';

const SENDERS = 8;
/** The time between two events of one sender, in ms: a steady load, below what the machine can do. */
const REST_MS = 40;

test('every process replaced in turn under load: every answer is 200, and every event is there once', async () => {
  const pipe = await startPipe();
  onTestFinished(() => pipe.stop());
  await countEffects(pipe.sql);
  const balancer = await startBalancer();
  onTestFinished(() => balancer.close());
  const startReceiver = async () => {
    const receiver = await startApp('receiver', {
      // As long as the balancer needs to see that the receiver is not ready, also where the machine stands still for a while.
      env: { ELEVENLABS_WEBHOOK_SECRET: SECRET, REDIS_URL: pipe.redis.url, DRAIN_SECONDS: '4' },
    });
    onTestFinished(async () => void (await receiver.stop()));
    balancer.add(receiver.url);
    await vi.waitUntil(() => balancer.isUsed(receiver.url), { timeout: 20_000, interval: 20 });
    return receiver;
  };
  const stop = async (app: AppProcess) => {
    expect(await app.stop()).toEqual([0, null]);
    balancer.remove(app.url);
  };
  const [first, second] = [await startReceiver(), await startReceiver()];
  const [one, other] = [await pipe.startWorker(), await pipe.startWorker()];

  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  process.stdout.write(`rolling restart: SEED=${seed}\n`);
  const events = firstOfLoad({ run: 'rolling', seed }, 20_000);
  const sent: DescribedEvent[] = [];
  const answers = new Map<number | string, number>();
  const over = new AbortController();
  const agent = new Agent({ keepAlive: true, maxSockets: SENDERS });
  const sendInTurn = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const event = events[sent.length];
      if (event === undefined) return;
      sent.push(event);
      const status = await post(balancer.url, event.body, { agent }).then((answer) => answer.status, String);
      answers.set(status, (answers.get(status) ?? 0) + 1);
      await delay(REST_MS);
    }
  };
  const senders = Array.from({ length: SENDERS }, sendInTurn);
  const untilMore = async () => {
    const before = sent.length;
    await vi.waitUntil(() => sent.length > before + 4 * SENDERS, { timeout: 60_000, interval: 20 });
  };

  await untilMore();
  // The new process starts first, then the old one stops.
  const third = await startReceiver();
  await stop(first);
  await untilMore();
  const another = await pipe.startWorker();
  await stop(one);
  await untilMore();
  // The old receiver stops first, and the one beside it takes all events.
  await stop(second);
  await untilMore();
  const fourth = await startReceiver();
  await stop(other);
  await untilMore();
  await pipe.startWorker();
  await stop(third);
  await untilMore();
  await stop(another);
  over.abort();
  await Promise.all(senders);
  agent.destroy();
  const counts = await pipe.untilIdle({ timeoutMs: 60_000 });
  expect(fourth.isRunning()).toBe(true);

  process.stdout.write(`rolling restart: ${sent.length} events, answers ${JSON.stringify([...answers])}\n`);
  expect([...answers]).toEqual([[200, sent.length]]);
  expect(counts).toEqual({ events: 0, unsettled: 0, dead: 0 });
  expect(await doubledAmong(sent, pipe.sql)).toEqual([]);
  const noted = await pipe.sql(`SELECT count(*)::int AS n FROM effects WHERE in_table = 'webhook_events'`);
  expect(noted).toEqual([{ n: sent.length }]);
  expect((await wrongRows(sent, pipe.sql)).slice(0, 10)).toEqual([]);
}, 300_000);
