import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { refuse, type StrictS3 } from '../packages/recordings/test/storage/support/s3-servers.ts';
import { startApp, type AppProcess } from './support/app-process.ts';
import { audioCall, transcriptCall, type AudioCall } from './support/call-events.ts';
import { createDatabase, type TestDatabase } from './support/database.ts';
import { lockTable } from './support/lock-table.ts';
import { post, signed, WEBHOOK_PATH } from './support/post.ts';
import { startPrivateRedis, type PrivateRedis } from './support/private-redis.ts';
import { openConnection } from './support/raw-connection.ts';
import { filesIn, SOON, startRecordingsLine, type LineOptions } from './support/recordings-line.ts';
import { ROOT } from './support/root.ts';
import { runSql } from './support/run-sql.ts';
import { stopAt, type StopPoint } from './support/stop-points.ts';
import { startTcpProxy } from './support/tcp-proxy.ts';
import { makeTempFolder } from './support/temp-folder.ts';

const MIB = 1024 * 1024;

let redis: PrivateRedis;
let database: TestDatabase;
let worker: AppProcess;
const startWorker = () => startApp('worker', { env: { REDIS_URL: redis.url, DATABASE_URL: database.url } });

beforeAll(async () => {
  [redis, database] = await Promise.all([startPrivateRedis(), createDatabase(inject('databaseUrl'))]);
  worker = await startWorker();
});
afterAll(async () => {
  await worker.stop();
  await database.drop();
  await redis.remove();
});

const startLine = (before?: LineOptions['before']) =>
  startRecordingsLine({ redisUrl: redis.url, databaseUrl: database.url, ...(before && { before }) });

async function kill(app: AppProcess): Promise<void> {
  app.kill('SIGKILL');
  await app.exited;
}

const putsOf = ({ requests }: StrictS3) => requests.filter(({ method }) => method === 'PUT').length;

describe('a receiver that is killed', () => {
  test('in the middle of a body leaves nothing behind, and the next attempt is kept', async () => {
    const line = await startLine();
    const call = audioCall('middle', 6 * MIB);
    const first = await line.startReceiver();
    const connection = await openConnection(first.url);
    const head = Object.entries({ host: 'x', 'content-length': String(call.body.length), ...signed(call.body) });
    connection.write(`POST ${WEBHOOK_PATH} HTTP/1.1\r\n${head.map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`);
    connection.write(call.body.subarray(0, 3 * MIB));
    await vi.waitUntil(async () => (await filesIn(line.spoolDir)).some((name) => name.endsWith('.part')), SOON);
    await kill(first);
    connection.cut();

    const second = await line.startReceiver();
    await expect.poll(() => filesIn(line.spoolDir), SOON).toEqual([]);
    expect(await line.ledgerOf([call])).toEqual([]);
    expect(await post(second.url, call.body)).toMatchObject({ status: 200 });
    await line.expectOnceEach([call]);
  });

  test.each<[StopPoint, { answered: 200 | 'never'; puts: number }]>([
    ['before its 200', { answered: 'never', puts: 0 }],
    ['while it splits', { answered: 200, puts: 0 }],
    ['before it removes the file', { answered: 200, puts: 1 }],
  ])('%s leaves the body to the next one, which moves it once', async (point, { answered, puts }) => {
    const line = await startLine();
    const call = audioCall(point.replaceAll(' ', '-'), 4 * MIB);
    const marker = join(await makeTempFolder(), 'stopped');
    const first = await line.startReceiver({ nodeArguments: stopAt(point, marker) });
    const answer = post(first.url, call.body).then(
      ({ status }) => status,
      () => 'never',
    );
    await vi.waitUntil(() => existsSync(marker), SOON);
    if (answered === 200) await answer;
    await kill(first);
    expect(await answer).toBe(answered);
    expect(await filesIn(line.spoolDir)).toEqual([expect.stringMatching(/\.body$/)]);
    expect(putsOf(line.s3)).toBe(puts);

    await line.startReceiver();
    await line.expectOnceEach([call]);
    expect(putsOf(line.s3)).toBe(1);
  });

  test('while it stores leaves the body to the next one, which stores it whole', async () => {
    let held = 0;
    const line = await startLine(({ method }) => method === 'PUT' && held++ === 0);
    const call = audioCall('storing', 4 * MIB);
    const first = await line.startReceiver();
    expect(await post(first.url, call.body)).toMatchObject({ status: 200 });
    await vi.waitUntil(() => held === 1, SOON);
    await kill(first);
    expect([...line.s3.objects]).toEqual([]);

    await line.startReceiver();
    await line.expectOnceEach([call]);
  });

  test('after the storage and before the queue leaves the body to the next one, which stores nothing more', async () => {
    const line = await startLine();
    const call = audioCall('before-queue', 4 * MIB);
    const proxy = await startTcpProxy(redis.url);
    const first = await line.startReceiver({ redisUrl: proxy.url });
    await proxy.close();
    expect(await post(first.url, call.body)).toMatchObject({ status: 200 });
    await vi.waitUntil(() => line.s3.objects.size === 1, SOON);
    await kill(first);
    expect(await line.ledgerOf([call])).toEqual([]);

    await line.startReceiver();
    await line.expectOnceEach([call]);
    expect(putsOf(line.s3)).toBe(1);
  });
});

test('a worker that is killed while it applies a recording leaves the row to the next one; show gives the bytes back', async () => {
  const line = await startLine();
  const call = audioCall('worker', 2 * MIB);
  const receiver = await line.startReceiver();
  const unlock = await lockTable(database.url, 'conversation_recordings');
  expect(await post(receiver.url, call.body)).toMatchObject({ status: 200 });
  const waiting = `SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'conversation_recordings'::regclass`;
  await vi.waitUntil(async () => (await runSql(database.url, waiting)).length > 0, SOON);
  await kill(worker);
  await unlock();
  worker = await startWorker();
  await line.expectOnceEach([call]);

  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(ROOT, 'apps/cli/dist/main.js'), 'show', call.eventId, '--body'],
    {
      env: { PATH: process.env['PATH'], DATABASE_URL: database.url, REDIS_URL: redis.url, ...line.storageEnv },
      encoding: 'buffer',
      maxBuffer: 16 * MIB,
    },
  );
  expect(stdout.equals(call.body)).toBe(true);
});

test('while the storage is away, refuses the credentials or is full, all else goes on; then the recordings are moved', async () => {
  let fault: 'away' | 'refused' | 'full' | undefined;
  let refusals = 0;
  const line = await startLine((request, response) => {
    if (fault === undefined) return false;
    refusals += 1;
    request.resume();
    if (fault === 'away') request.socket.destroy();
    else if (fault === 'refused') refuse(response, 403, 'InvalidAccessKeyId');
    else refuse(response, 507, 'XMinioStorageFull');
    return true;
  });
  const receiver = await line.startReceiver();
  const calls: AudioCall[] = [];
  for (fault of ['away', 'refused', 'full'] as const) {
    refusals = 0;
    const recordings = [audioCall(`${fault}-small`, 3000), audioCall(`${fault}-large`, 5 * MIB)];
    const others = [transcriptCall(`${fault}-1`, 100), transcriptCall(`${fault}-2`, 2 * MIB)];
    for (const { body } of [...recordings, ...others]) {
      expect(await post(receiver.url, body)).toMatchObject({ status: 200 });
    }
    await vi.waitUntil(async () => (await line.ledgerOf(others)).length === others.length, SOON);
    await vi.waitUntil(() => refusals > 0, SOON);
    expect(await line.ledgerOf(recordings)).toEqual([]);
    expect(await filesIn(line.spoolDir)).toHaveLength(recordings.length);
    calls.push(...recordings);
    fault = undefined;
    await line.expectOnceEach(calls);
  }
});

test('deliveries of one body, at once to two receivers and later again, are stored and applied once', async () => {
  const line = await startLine();
  const [large, small] = [audioCall('again-large', 3 * MIB), audioCall('again-small', 2000)];
  const receivers = await Promise.all([line.startReceiver(), line.startReceiver()]);
  const sendAll = async () => {
    const answers = receivers.flatMap(({ url }) => [large, small].map(({ body }) => post(url, body)));
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  };
  await sendAll();
  await line.expectOnceEach([large, small]);
  const puts = putsOf(line.s3);
  await sendAll();
  await line.expectOnceEach([large, small]);
  expect(putsOf(line.s3)).toBe(puts);
});
