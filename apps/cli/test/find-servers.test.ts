import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { findOwnDatabase, findReadableDatabase } from '../src/find-database.ts';
import { findRedis } from '../src/find-redis.ts';
import { writeServices } from '../src/start/services-file.ts';

const RUNNING = {
  pid: process.pid,
  databaseUrl: 'postgresql://running/worker',
  directUrl: 'postgresql://running/owner',
  readerDatabaseUrl: 'postgresql://running/reader',
  redisUrl: 'redis://running',
};

/** Makes a folder in which `npm start` runs these servers. */
async function rootOf(services: Partial<typeof RUNNING> = RUNNING): Promise<string> {
  const root = await makeTempFolder();
  await writeServices(root, { pid: process.pid, ...services });
  return root;
}

test.each([
  [{ DATABASE_URL: 'postgresql://a' }, { databaseUrl: 'postgresql://a' }],
  [{ DIRECT_URL: 'postgresql://b' }, { databaseUrl: 'postgresql://b', directUrl: 'postgresql://b' }],
  [
    { DATABASE_URL: 'postgresql://a', DIRECT_URL: 'postgresql://b' },
    { databaseUrl: 'postgresql://a', directUrl: 'postgresql://b' },
  ],
  [{ DATABASE_URL: '', DIRECT_URL: '' }, { databaseUrl: RUNNING.directUrl }],
  [{}, { databaseUrl: RUNNING.directUrl }],
])('changes the tables of the database of %j, else of npm start as their owner', async (env, found) => {
  expect(await findOwnDatabase(await rootOf(), env)).toEqual(found);
});

test('changes the tables with the DATABASE_URL of a running npm start that has no DIRECT_URL', async () => {
  const { pid, databaseUrl } = RUNNING;
  const root = await rootOf({ pid, databaseUrl });
  expect(await findOwnDatabase(root, {})).toEqual({ databaseUrl });
  expect(await findReadableDatabase(root, {})).toEqual({ url: databaseUrl, isReader: false });
});

test.each([
  [{ READER_DATABASE_URL: 'postgresql://r', DATABASE_URL: 'postgresql://a' }, 'postgresql://r', true],
  [{ DATABASE_URL: 'postgresql://a' }, 'postgresql://a', false],
  [{}, RUNNING.readerDatabaseUrl, true],
])('reads the database of %j at %s (as the reader: %s)', async (env, url, isReader) => {
  expect(await findReadableDatabase(await rootOf(), env)).toEqual({ url, isReader });
});

test('works on the Redis of REDIS_URL, else of npm start', async () => {
  const root = await rootOf();
  expect(await findRedis(root, { REDIS_URL: 'redis://given' })).toBe('redis://given');
  expect(await findRedis(root, { REDIS_URL: '' })).toBe('redis://running');
  expect(await findRedis(root, {})).toBe('redis://running');
});

test.each([
  ['no services.json', undefined],
  ['a services.json of a start that is not finished', `{"pid":${process.pid}}`],
  ['a damaged services.json', '{"pid":'],
  ['a services.json of another program', '{"pid":1,"databaseUrl":5}'],
])('says with %s that there is no database and no Redis', async (_, text) => {
  const root = await rootOf();
  const file = join(root, '.data', 'services.json');
  await writeFile(file, text ?? '');
  const advice = {
    code: 'configuration_invalid',
    message: expect.stringContaining('run npm start in another terminal'),
  };
  await expect(findOwnDatabase(root, {})).rejects.toMatchObject(advice);
  await expect(findReadableDatabase(root, {})).rejects.toMatchObject(advice);
  await expect(findRedis(root, {})).rejects.toMatchObject(advice);
});

test('names the file of a URL that cannot be read, although npm start runs', async () => {
  const root = await rootOf();
  const file = join(root, 'missing');
  await expect(findRedis(root, { REDIS_URL_FILE: file })).rejects.toThrow(`REDIS_URL_FILE: cannot read ${file}`);
  await expect(findOwnDatabase(root, { DIRECT_URL_FILE: file })).rejects.toThrow('DIRECT_URL_FILE: cannot read');
  await expect(findReadableDatabase(root, { READER_DATABASE_URL_FILE: file })).rejects.toThrow(
    'READER_DATABASE_URL_FILE: cannot read',
  );
});
