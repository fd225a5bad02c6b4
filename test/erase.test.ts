import { randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createLogger } from '@landline/process';
import { createJournal } from '@landline/journal';
import { openRemover, removeRecordings } from '@landline/operations';
import { openQueues } from '@landline/queue';
import { createStore } from '@landline/store';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { runCommand } from '../apps/cli/src/run-command.ts';
import { createWorker, type Worker } from '../apps/worker/src/worker.ts';
import {
  dump,
  eventsOfCall,
  messageOf,
  PERSON,
  TRACES,
  transcriptOf,
} from '../packages/store/test/support/a-person.ts';
import { startApp, type AppProcess } from './support/app-process.ts';
import { createDatabase, type TestDatabase } from './support/database.ts';
import { post, SECRET, send, signed } from './support/post.ts';
import { startPrivateRedis, type PrivateRedis } from './support/private-redis.ts';
import { runSql } from './support/run-sql.ts';
import { makeTempFolder } from './support/temp-folder.ts';

const WITHIN = { timeout: 30_000, interval: 50 };
const OTHER_SECRET = 'wsec_ffffffffffffffffffffffffffffffff';

let redis: PrivateRedis;
let database: TestDatabase;
let receiver: AppProcess;
let worker: Worker;
let folders: Record<'redis' | 'journal' | 'spool' | 'recordings', string>;

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), 'landline-erase-'));
  // As root, Redis may run as another user.
  await chmod(root, 0o755);
  folders = {
    redis: join(root, 'redis'),
    journal: join(root, 'journal'),
    spool: join(root, 'spool'),
    recordings: join(root, 'recordings'),
  };
  await Promise.all(Object.values(folders).map((folder) => mkdir(folder, { recursive: true })));
  // A text that is compressed is not found in the file.
  redis = await startPrivateRedis(['--rdbcompression', 'no'], { dir: folders.redis });
  database = await createDatabase(inject('databaseUrl'));
  receiver = await startReceiver();
  worker = createWorker({
    databaseUrl: database.url,
    redisUrl: redis.url,
    concurrency: 4,
    recordingsUrl: `file:${folders.recordings}`,
    diagnosing: { secrets: [SECRET, OTHER_SECRET], toleranceSeconds: 3600 },
    logger: createLogger({ name: 'worker', level: 'silent' }),
  });
  worker.start();
});

afterAll(async () => {
  await worker.stop({ timeoutMs: 4_000 });
  if (receiver.isRunning()) await receiver.stop();
  await redis.remove();
  await database.drop();
  await rm(dirname(folders.journal), { recursive: true });
});

const startReceiver = () =>
  startApp('receiver', {
    env: {
      ELEVENLABS_WEBHOOK_SECRET: SECRET,
      REDIS_URL: redis.url,
      ENQUEUE_TIMEOUT_MS: '10000',
      JOURNAL_DIR: folders.journal,
      SPOOL_DIR: folders.spool,
      RECORDINGS_URL: `file:${folders.recordings}`,
      CANARY_INTERVAL_SECONDS: '0',
    },
  });

const sql = (statement: string) => runSql(database.directUrl, statement);
const count = async (from: string) => Number((await sql(`SELECT count(*)::int AS n FROM ${from}`))[0]?.['n']);

async function landline(...args: string[]) {
  const output: string[] = [];
  const code = await runCommand(args, {
    root: await makeTempFolder(),
    env: {
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      ELEVENLABS_WEBHOOK_SECRET: `${SECRET},${OTHER_SECRET}`,
      USER: 'me',
    },
    print: (line) => output.push(line),
    printError: (line) => output.push(line),
    width: 120,
  });
  return { code, output: output.join('\n') };
}

/** The audio of a call says who speaks. */
const audioBody = (id: string) =>
  JSON.stringify({
    type: 'post_call_audio',
    event_timestamp: 1_767_600_000,
    data: {
      agent_id: 'agent_1',
      conversation_id: id,
      user_id: PERSON.user,
      full_audio: Buffer.from(`audio of ${PERSON.name}`).toString('base64'),
    },
  });

/** The bodies of a call, as they are sent. */
const bodiesOf = (id: string) => [
  ...eventsOfCall(id).flatMap(({ entry: { type, delivery } }) => (type === 'post_call_audio' ? [] : [delivery.body])),
  audioBody(id),
];

/** A transcript that the product cannot read, and that names the person by the number alone. */
const unreadable = `{"type":"post_call_transcription","data":["${PERSON.name}","${PERSON.number}"]}`;

/** An event that names no call, so only its number tells whose it is. */
const withoutCall = JSON.stringify({
  type: 'conversation.message',
  data: { from: PERSON.number, message: `It is ${PERSON.name}` },
});

/** A request whose signature is another secret's. */
const refused = (body: string) => send(receiver.url, { headers: signed(body, OTHER_SECRET), body });

async function untilIdle(events: number): Promise<void> {
  await vi.waitUntil(async () => (await count('webhook_events')) >= events, WITHIN);
  await vi.waitUntil(async () => (await filesUnder(folders.spool)).length === 0, WITHIN);
  // An event is in the tables a moment before Redis knows that its job is done.
  const queues = openQueues({ redisUrl: redis.url });
  try {
    await queues.ping();
    await vi.waitUntil(async () => {
      const left = await queues.events.getJobCounts('wait', 'prioritized', 'active', 'delayed');
      return Object.values(left).every((jobs) => jobs === 0);
    }, WITHIN);
  } finally {
    await queues.close();
  }
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function textUnder(folder: string): Promise<string> {
  const contents = await Promise.all(
    (await filesUnder(folder)).map((path) => readFile(path, 'latin1').catch(() => '')),
  );
  return contents.join('\n');
}

/** The text of the file of Redis, when it holds nothing but what there is. */
async function redisText(): Promise<string> {
  await redis.run(['BGREWRITEAOF']);
  const isDone = async () => {
    const info = String(await redis.run(['INFO', 'persistence']));
    return /aof_rewrite_in_progress:0/.test(info) && /aof_rewrite_scheduled:0/.test(info);
  };
  await vi.waitUntil(isDone, WITHIN);
  return textUnder(folders.redis);
}

const tracesIn = (text: string) => TRACES.filter((trace) => text.includes(trace));

/** What is found of the person, by place. */
async function traces() {
  return {
    postgres: tracesIn(await dump({ sql })),
    redis: tracesIn(await redisText()),
    spool: tracesIn(await textUnder(folders.spool)),
    recordings: tracesIn(await textUnder(folders.recordings)),
  };
}

const NOTHING = { postgres: [], redis: [], spool: [], recordings: [] };

describe('a person who is forgotten', () => {
  test('is found nowhere, and nothing that comes later brings them back', async () => {
    const neighbour = messageOf('neighbour')
      .entry.delivery.body.replaceAll(PERSON.name, 'Somebody Else')
      .replaceAll(PERSON.user, 'user-else');
    const bodies = [...bodiesOf('c1'), ...bodiesOf('c2'), unreadable, withoutCall, neighbour];
    for (const body of bodies) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await post(receiver.url, body)).status).toBe(200);
    }
    expect((await refused(transcriptOf('c3').entry.delivery.body)).status).toBe(401);
    await untilIdle(bodies.length);
    await vi.waitUntil(async () => (await count('rejected_requests')) === 1, WITHIN);
    await landline('replay', '--user', PERSON.user, '--outcome', 'dead', '--yes');
    expect(await traces()).toEqual({
      postgres: [...TRACES],
      redis: expect.arrayContaining([PERSON.name, PERSON.number]),
      spool: [],
      recordings: [PERSON.name],
    });

    const console_ = openQueues({ redisUrl: redis.url });
    await console_.ping();
    const filters = [{ user: PERSON.user }, { text: `It is ${PERSON.user}` }, { number: PERSON.number }];
    await console_.requests.addBulk(
      filters.map((filter) => {
        const request = { do: 'start', id: randomUUID(), kind: 'replay', filter, requestedBy: 'admin' };
        return { name: 'request', data: { v: 1, request }, opts: { delay: 3_600_000 } };
      }),
    );
    await console_.close();

    const plan = await landline('erase', '--user', PERSON.user, '--plan', '--json');
    expect(plan.code).toBe(0);
    expect(JSON.parse(plan.output)).toMatchObject({
      by: 'user',
      conversations: 2,
      recordings: 2,
      profiles: 1,
      users: 1,
    });
    const erased = await landline('erase', '--user', PERSON.user, '--yes', '--json');
    const document = JSON.parse(erased.output);
    expect({ ...document, code: erased.code }).toMatchObject({
      code: 0,
      status: 'done',
      counts: {
        conversations: 2,
        messages: 4,
        tool_calls: 2,
        commands: 2,
        recordings: 2,
        files: 2,
        profiles: 1,
        rejected_requests: 1,
        operations: 1,
        requests: 3,
      },
    });
    expect(Object.keys(document.filter).toSorted()).toEqual(['by', 'journal_hours', 'subject_hash']);
    expect(await traces()).toEqual(NOTHING);
    expect(await sql(`SELECT content FROM conversation_messages`)).toEqual([{ content: 'I am Somebody Else' }]);
  });

  test('stays forgotten: redelivered, a later transcript, replayed, readmitted', async () => {
    const before = await count('webhook_events');
    const later = [transcriptOf('c1', 60), messageOf('c2', 61)].map(({ entry }) => entry.delivery.body);
    for (const body of [...bodiesOf('c1'), ...bodiesOf('c2'), ...later, unreadable, withoutCall]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await post(receiver.url, body)).status).toBe(200);
    }
    await untilIdle(before + 2);
    expect(await landline('replay', '--conversation', 'c1', '--yes')).toMatchObject({
      output: expect.stringContaining('whose body is gone'),
    });
    await refused(transcriptOf('c2', 70).entry.delivery.body);
    await vi.waitUntil(async () => (await count('rejected_requests')) === 1, WITHIN);
    expect(await landline('rejected', 'readmit', '--yes')).toMatchObject({ code: 0 });
    await untilIdle(before + 3);
    expect(
      await count(
        `webhook_events WHERE conversation_id IN ('c1', 'c2') AND outcome = 'ignored' AND origin = 'readmitted'`,
      ),
    ).toBe(1);
    await sql('DELETE FROM rejected_requests');
    await vi.waitUntil(
      async () => (await filesUnder(folders.recordings)).length === 0 || (await removeFiles()),
      WITHIN,
    );
    expect(await traces()).toEqual(NOTHING);
    expect(await count('conversation_messages')).toBe(1);
  });

  test('is a new caller when they call again', async () => {
    const before = await count('webhook_events');
    const bodies = bodiesOf('c4');
    for (const body of bodies) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await post(receiver.url, body)).status).toBe(200);
    }
    await untilIdle(before + bodies.length);
    expect(await sql(`SELECT user_id, external_number FROM conversations WHERE id = 'c4'`)).toEqual([
      { user_id: PERSON.user, external_number: PERSON.number },
    ]);
    expect(await count(`user_profiles WHERE user_id = '${PERSON.user}'`)).toBe(1);
    const byNumber = await landline('erase', '--number', '+1 (202) 555-0147', '--yes', '--json');
    expect(byNumber).toMatchObject({ code: 0, output: expect.stringContaining('"status": "done"') });
    expect(await traces()).toEqual(NOTHING);
  });

  test('is in no journal after its time', async () => {
    await receiver.stop();
    expect(tracesIn(await textUnder(folders.journal))).toContain(PERSON.name);
    const ahead = 25 * 3_600_000;
    const journal = createJournal({
      dir: folders.journal,
      limitBytes: 64 * 1024 * 1024,
      retentionHours: 24,
      now: () => Date.now() + ahead,
      elapsed: () => performance.now() + ahead,
    });
    await journal.open();
    try {
      await vi.waitUntil(async () => {
        // As the receiver does when it has asked Redis.
        for (const note of journal.inherited()) journal.forget(note);
        return tracesIn(await textUnder(folders.journal)).length === 0;
      }, WITHIN);
    } finally {
      await journal.close();
    }
  });
});

/** The worker does this each minute. */
async function removeFiles(): Promise<boolean> {
  const store = createStore({ databaseUrl: database.url, poolSize: 1 });
  const storage = openRemover(`file:${folders.recordings}`);
  try {
    await removeRecordings({ recordings: store.recordingsToRemove, storage }, new AbortController().signal);
    return (await filesUnder(folders.recordings)).length === 0;
  } finally {
    storage.close();
    await store.close();
  }
}

describe('an id that does not exist', () => {
  test('is told with exit code 1, and whether a mark was kept', async () => {
    const id = `conv_${randomUUID()}`;
    expect(await landline('erase', '--conversation', id, '--plan')).toMatchObject({
      code: 1,
      output: expect.stringContaining(`There is no conversation ${id}.`),
    });
    expect(await landline('erase', '--conversation', id, '--yes')).toMatchObject({
      code: 1,
      output: expect.stringContaining('A mark is kept for it'),
    });
    expect(await sql(`SELECT erased_at IS NOT NULL AS erased FROM conversations WHERE id = '${id}'`)).toEqual([
      { erased: true },
    ]);
    expect(await landline('erase', '--user', 'user-nobody', '--yes')).toMatchObject({
      code: 1,
      output: expect.stringContaining('No mark is kept'),
    });
    expect(await landline('erase', '--conversation', id, '--yes')).toMatchObject({ code: 0 });
  });
});
