import { readFile } from 'node:fs/promises';
import { openQueues } from '@landline/queue';
import { deliveryOf } from '@landline/webhook/delivery';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startApp } from './support/app-process.ts';
import { createDatabase } from './support/database.ts';
import { startPrivateRedis } from './support/private-redis.ts';
import { runSql } from './support/run-sql.ts';

const MEBIBYTE = 1024 * 1024;

/** A worker that takes jobs whatever they weigh needs 730 MiB for these bodies alone, and dies. */
const HEAP_MIB = 400;

/** Most memory that the worker's process may have had at any time, in MiB. */
const PEAK_MIB = 800;

const LARGE_JOBS = 70;
const SMALL_EVENTS = 300;

interface Body {
  text: string;
  /** How many rows the event makes in conversation_messages. */
  messages: number;
}

/** An event of a type that Landline does not know: the worker records it. */
function recording(i: number, mebibytes: number): Body {
  return {
    text: JSON.stringify({ type: 'recording', id: i, audio: 'A'.repeat(mebibytes * MEBIBYTE) }),
    messages: 0,
  };
}

/** A transcript of 40 turns. */
function transcript(i: number, mebibytes: number): Body {
  const message = 'it is "so" and so. '.repeat((mebibytes * MEBIBYTE) / 40 / 19);
  const turns = Array.from({ length: 40 }, (_, turn) => ({ role: 'user', message, time_in_call_secs: turn }));
  const data = { conversation_id: `conv_large_${i}`, status: 'done', transcript: turns };
  return {
    text: JSON.stringify({ type: 'post_call_transcription', event_timestamp: 1_767_225_600, data }),
    messages: 40,
  };
}

function smallMessage(i: number): Body {
  const data = { conversation_id: `conv_small_${i % 50}`, message_id: `m${i}`, role: 'user', message: 'hello' };
  return { text: JSON.stringify({ type: 'conversation.message', timestamp: 1_767_225_600, data }), messages: 1 };
}

function largeBody(i: number): Body {
  // One is larger than all that large jobs may hold.
  if (i === 20) return recording(i, 34);
  const mebibytes = 8 + (i % 5);
  return i % 10 === 0 ? transcript(i, mebibytes) : recording(i, mebibytes);
}

/** A Redis, a database and the functions of this test on them. */
async function openBacklog() {
  // The backlog need not outlast this test.
  const redis = await startPrivateRedis(['--appendonly', 'no']);
  onTestFinished(() => redis.remove());
  const database = await createDatabase(inject('databaseUrl'));
  onTestFinished(() => database.drop());
  const queues = openQueues({ redisUrl: redis.url });
  onTestFinished(() => queues.close());
  await queues.ping();
  const facts = { receivedAt: 1_767_225_600_000, signedAt: 1_767_225_600, secretId: 'test' };
  return {
    events: queues.events,
    env: { DATABASE_URL: database.url, REDIS_URL: redis.url },
    add: async ({ text }: Body): Promise<void> => {
      const data = { v: 1, events: [deliveryOf(Buffer.from(text), facts)] };
      await queues.events.add('events', data, { attempts: 8, removeOnComplete: true });
    },
    count: async (what: string): Promise<number> => {
      const [row] = await runSql<{ n: number }>(database.url, `SELECT ${what}`);
      return row?.n ?? 0;
    },
  };
}

/** The most memory that a process has had so far, in MiB. */
async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

test.runIf(process.platform === 'linux')(
  'a worker with a small heap applies a backlog of 70 large jobs, each once, and small events meanwhile',
  async () => {
    const { events, env, add, count } = await openBacklog();
    let bytes = 0;
    let messages = 0;
    async function addBody(body: Body): Promise<void> {
      bytes += Buffer.byteLength(body.text);
      messages += body.messages;
      await add(body);
    }
    for (let i = 0; i < LARGE_JOBS; i += 1) await addBody(largeBody(i));
    for (let i = 0; i < SMALL_EVENTS; i += 1) await addBody(smallMessage(i));

    const worker = await startApp('worker', { env, nodeArguments: [`--max-old-space-size=${HEAP_MIB}`] });
    onTestFinished(async () => void (await worker.stop()));
    const smallOnes = `count(*)::int AS n FROM webhook_events WHERE type = 'conversation.message'`;
    const largeOnes = `count(*)::int AS n FROM webhook_events WHERE type <> 'conversation.message'`;
    await worker.until(async () => (await count(smallOnes)) === SMALL_EVENTS, { withinMs: 120_000 });
    expect(await count(largeOnes)).toBeLessThan(LARGE_JOBS);
    await worker.until(async () => (await events.getJobCountByTypes()) === 0, { withinMs: 120_000 });

    expect(await peakMemory(worker.pid)).toBeLessThan(PEAK_MIB);
    expect(await count('count(*)::int AS n FROM webhook_events')).toBe(LARGE_JOBS + SMALL_EVENTS);
    expect(await count('sum(octet_length(body))::int AS n FROM webhook_events')).toBe(bytes);
    expect(await count('count(*)::int AS n FROM conversation_messages')).toBe(messages);
  },
  300_000,
);
