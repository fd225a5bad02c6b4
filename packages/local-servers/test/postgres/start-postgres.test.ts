import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runSql } from '../../../../test/support/run-sql.ts';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { isRunning } from '../../src/processes/is-running.ts';
import { startPostgres } from '../../src/postgres/start-postgres.ts';
import { startStranger } from '../support/start-stranger.ts';

async function startIn(dir: string) {
  const postgres = await startPostgres({ dir, port: 0 });
  onTestFinished(() => postgres.stop());
  return postgres;
}

test('keeps its data over a stop, over a kill, and over a start while an older server still runs on the folder', async () => {
  const dir = join(await makeTempFolder(), 'postgres');
  const first = await startIn(dir);
  await runSql(first.url, 'CREATE TABLE calls AS SELECT 1 AS id');
  await first.stop();
  await first.stop();
  expect(isRunning(first.pid)).toBe(false);

  const killed = await startIn(dir);
  await runSql(killed.url, 'INSERT INTO calls VALUES (2)');
  process.kill(killed.pid, 'SIGKILL');
  expect(await killed.exited).toBe('SIGKILL');

  const leftOver = await startIn(dir);
  const last = await startIn(dir);
  expect(isRunning(leftOver.pid)).toBe(false);
  expect(await runSql(last.url, 'SELECT id FROM calls ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
});

test('is durable, uses UTF-8, and serves only this machine and clients with its password', async () => {
  const folder = await makeTempFolder();
  const { url } = await startIn(join(folder, 'postgres'));
  const settings = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', server_encoding: 'UTF8' };
  const [row] = await runSql(
    url,
    `SELECT ${Object.keys(settings)
      .map((name) => `current_setting('${name}') AS ${name}`)
      .join(', ')}, current_setting('listen_addresses') AS listen_addresses, current_database() AS database`,
  );
  expect(row).toEqual({ ...settings, listen_addresses: '127.0.0.1', database: 'landline' });
  const stranger = new URL(url);
  stranger.password = 'wrong';
  await expect(runSql(stranger.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  expect((await stat(join(folder, 'postgres-password'))).mode & 0o777).toBe(0o600);
});

test('sets a new password when the password file is gone, and keeps the data', async () => {
  const dir = join(await makeTempFolder(), 'postgres');
  const first = await startIn(dir);
  await runSql(first.url, 'CREATE TABLE calls AS SELECT 1 AS id');
  await first.stop();
  await rm(`${dir}-password`);
  const second = await startIn(dir);
  expect(new URL(second.url).password).not.toBe(new URL(first.url).password);
  expect(await runSql(second.url, 'SELECT id FROM calls')).toEqual([{ id: 1 }]);
});

test('starts although another process has the number that the process file of an old run names', async () => {
  const dir = join(await makeTempFolder(), 'postgres');
  const first = await startIn(dir);
  const file = await readFile(join(dir, 'postmaster.pid'), 'utf8');
  await first.stop();
  const stranger = await startStranger();
  await writeFile(join(dir, 'postmaster.pid'), file.replace(/^\d+/, String(stranger.pid)));
  const second = await startIn(dir);
  expect(await runSql(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect(stranger.isRunning()).toBe(true);
});

test('makes the cluster anew when making it was cut short', async () => {
  const dir = join(await makeTempFolder(), 'postgres');
  await mkdir(join(`${dir}.new`, 'base'), { recursive: true });
  const { url } = await startIn(dir);
  expect(await runSql(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('never touches a folder that holds something else', async () => {
  const dir = join(await makeTempFolder(), 'postgres');
  await mkdir(dir);
  await writeFile(join(dir, 'notes.txt'), 'mine');
  await expect(startPostgres({ dir, port: 0 })).rejects.toMatchObject({
    code: 'postgres_failed',
    message: expect.stringContaining(dir),
  });
  expect(await readFile(join(dir, 'notes.txt'), 'utf8')).toBe('mine');
});

// Only root runs Postgres as another user: an ordinary user cannot meet this case.
test.runIf(process.getuid?.() === 0)('uses a folder elsewhere when its user cannot enter the folder', async () => {
  const closed = join(await makeTempFolder(), 'root');
  const dir = join(closed, 'landline', '.data', 'postgres');
  await mkdir(dirname(dir), { recursive: true });
  await chmod(closed, 0o700);
  const elsewhere = `/var/lib/landline/${createHash('sha256').update(dir).digest('hex').slice(0, 16)}`;
  onTestFinished(() => rm(elsewhere, { recursive: true, force: true }));

  const first = await startIn(dir);
  await runSql(first.url, 'CREATE TABLE calls AS SELECT 1 AS id');
  expect(await readlink(dir)).toBe(join(elsewhere, 'data'));
  expect((await stat(elsewhere)).mode & 0o777).toBe(0o700);
  const second = await startIn(dir);
  expect(isRunning(first.pid)).toBe(false);
  expect(await runSql(second.url, 'SELECT id FROM calls')).toEqual([{ id: 1 }]);
  await second.stop();
});

test.runIf(process.getuid?.() === 0)(
  'moves the data elsewhere when the folder was closed to its user later',
  async () => {
    const closed = join(await makeTempFolder(), 'home');
    const dir = join(closed, 'postgres');
    const elsewhere = `/var/lib/landline/${createHash('sha256').update(dir).digest('hex').slice(0, 16)}`;
    onTestFinished(() => rm(elsewhere, { recursive: true, force: true }));
    const first = await startIn(dir);
    await runSql(first.url, 'CREATE TABLE calls AS SELECT 1 AS id');
    await first.stop();
    await chmod(closed, 0o700);
    const second = await startIn(dir);
    expect(await runSql(second.url, 'SELECT id FROM calls')).toEqual([{ id: 1 }]);
  },
);
