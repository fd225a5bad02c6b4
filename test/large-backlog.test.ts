import { readFile } from 'node:fs/promises';
import { openQueues } from '@landline/queue';
import { deliveryOf } from '@landline/webhook/delivery';
import { packEvents } from '@landline/webhook/packed-events';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startApp } from './support/app-process.ts';
import { createDatabase } from './support/database.ts';
import { startPrivateRedis } from './support/private-redis.ts';
import { runSql } from './support/run-sql.ts';

/** `npm run test:backlog` works off the whole backlog, `npm test` a short one. */
const IS_WHOLE = process.env['BACKLOG'] === 'whole';
const RECORDINGS = IS_WHOLE ? 200 : 6;
const TRANSCRIPTS = IS_WHOLE ? 5000 : 300;

const RECORDING_BYTES = 40_000_000;

/** Transcripts in one job: about a mebibyte, which is an ordinary full group. */
const GROUP = 40;
const TURNS = 90;

/** Recordings that wait at once at most: 4 GB in Redis. The test adds the others while the worker works. */
const MOST_WAITING = 100;

/** Most memory that the worker's process may have had at any time, in bytes. Without a bound such a backlog took it to gigabytes. */
const PEAK_BYTES = 768_000_000;

/** Transcripts that wait as a receiver enqueues them: packed. */
const PACKED_TRANSCRIPTS = IS_WHOLE ? 10_000 : 5000;

/** The same for them. It is 480 MB, and was 880 MB before the garbage of small jobs was collected. */
const PACKED_PEAK_BYTES = 600_000_000;

const LIMIT_MS = IS_WHOLE ? 1_800_000 : 240_000;

const AUDIO = 'A'.repeat(RECORDING_BYTES);

/** A recording as versions before enqueued it: with its audio in the job. */
function recording(i: number): string {
  const data = { agent_id: 'agent', conversation_id: `conv_recorded_${i}`, full_audio: AUDIO };
  return JSON.stringify({ type: 'post_call_audio', event_timestamp: 1_767_225_600, data });
}

function transcript(i: number): string {
  const message = 'it is "so" and so. '.repeat(9);
  const turns = Array.from({ length: TURNS }, (_, turn) => ({
    role: turn % 2 === 0 ? 'agent' : 'user',
    message,
    time_in_call_secs: turn * 4,
    interrupted: false,
  }));
  const data = { agent_id: 'agent', conversation_id: `conv_written_${i}`, status: 'done', transcript: turns };
  return JSON.stringify({ type: 'post_call_transcription', event_timestamp: 1_767_225_600, data });
}

/** A Redis, a database and the functions of this test on them. */
async function openBacklog() {
  // The backlog need not outlast this test.
  const redis = await startPrivateRedis(['--appendonly', 'no', '--save', '']);
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
    add: async (bodies: readonly string[]): Promise<number> => {
      const buffers = bodies.map((body) => Buffer.from(body));
      const data = { v: 1, events: buffers.map((bytes) => deliveryOf(bytes, facts)) };
      await queues.events.add('events', data, { attempts: 8, removeOnComplete: true });
      return buffers.reduce((sum, { length }) => sum + length, 0);
    },
    addPacked: async (bodies: readonly string[]): Promise<void> => {
      const buffers = bodies.map((body) => Buffer.from(body));
      const bytes = buffers.reduce((sum, { length }) => sum + length, 0);
      const events = packEvents(
        buffers.map((body) => deliveryOf(body, facts)),
        bytes,
      );
      if (events === undefined) throw new Error('The bodies are too small, or too large, to be packed.');
      const data = { v: 3, ...events, packed: events.packed.toString('base64') };
      await queues.events.add('events', data, { attempts: 8, removeOnComplete: true });
    },
    count: async (what: string): Promise<number> => {
      const [row] = await runSql<{ n: string }>(database.url, `SELECT ${what} AS n`);
      return Number(row?.n);
    },
  };
}

/** The most memory that a process has had so far, in bytes. */
async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

test.runIf(process.platform === 'linux')(
  `a worker applies a backlog of ${RECORDINGS} recordings of 40 MB and ${TRANSCRIPTS} transcripts in flat memory, each once`,
  async () => {
    const { events, env, add, count } = await openBacklog();
    let bytes = 0;
    let recordings = 0;
    let transcripts = 0;

    /** Adds one recording, and its share of the transcripts. */
    async function addNext(): Promise<void> {
      bytes += await add([recording(recordings)]);
      recordings += 1;
      const due = Math.floor((TRANSCRIPTS * recordings) / RECORDINGS);
      while (transcripts < due) {
        const size = Math.min(GROUP, due - transcripts);
        bytes += await add(Array.from({ length: size }, (_, i) => transcript(transcripts + i)));
        transcripts += size;
      }
    }

    while (recordings < Math.min(RECORDINGS, MOST_WAITING)) await addNext();
    const worker = await startApp('worker', { env });
    onTestFinished(async () => void (await worker.stop()));
    const applied = () => count(`(SELECT count(*) FROM webhook_events WHERE type = 'post_call_audio')`);
    while (recordings < RECORDINGS) {
      await worker.until(async () => recordings - (await applied()) < MOST_WAITING, { withinMs: LIMIT_MS });
      await addNext();
    }
    await worker.until(async () => (await events.getJobCountByTypes()) === 0, { withinMs: LIMIT_MS });

    expect(await peakMemory(worker.pid)).toBeLessThan(PEAK_BYTES);
    expect(await count(`(SELECT count(*) FROM webhook_events WHERE outcome = 'applied')`)).toBe(
      RECORDINGS + TRANSCRIPTS,
    );
    expect(await count('(SELECT sum(octet_length(body)) FROM webhook_bodies)')).toBe(bytes);
    expect(await count('(SELECT count(*) FROM conversations)')).toBe(RECORDINGS + TRANSCRIPTS);
    expect(await count('(SELECT count(*) FROM conversation_messages)')).toBe(TRANSCRIPTS * TURNS);
  },
  LIMIT_MS * 2,
);

test.runIf(process.platform === 'linux')(
  `a worker applies a backlog of ${PACKED_TRANSCRIPTS} packed transcripts in flat memory, each once`,
  async () => {
    const { events, env, addPacked, count } = await openBacklog();
    for (let first = 0; first < PACKED_TRANSCRIPTS; first += GROUP) {
      // oxlint-disable-next-line no-await-in-loop -- group after group
      await addPacked(Array.from({ length: GROUP }, (_, i) => transcript(first + i)));
    }
    const worker = await startApp('worker', { env });
    onTestFinished(async () => void (await worker.stop()));
    await worker.until(async () => (await events.getJobCountByTypes()) === 0, { withinMs: LIMIT_MS });

    expect(await peakMemory(worker.pid)).toBeLessThan(PACKED_PEAK_BYTES);
    expect(await count(`(SELECT count(*) FROM webhook_events WHERE outcome = 'applied')`)).toBe(PACKED_TRANSCRIPTS);
    expect(await count('(SELECT count(*) FROM conversation_messages)')).toBe(PACKED_TRANSCRIPTS * TURNS);
  },
  LIMIT_MS * 2,
);
