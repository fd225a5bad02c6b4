import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { openBoundStorage, type BoundStorage } from '../../src/storage/bound-storage.ts';

const KEY = 'agent_1/undated/conv_1.mp3';

/** Keeps a file with the name of a recording below a folder. */
async function keep(folder: string, text: string): Promise<string> {
  await mkdir(join(folder, 'agent_1/undated'), { recursive: true });
  await writeFile(join(folder, KEY), text);
  return `file:${join(folder, KEY)}`;
}

async function textOf(storage: BoundStorage, url: string): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of storage.read(url)) parts.push(part);
  return Buffer.concat(parts).toString();
}

const outside = { name: 'StorageError', code: 'outside', message: 'It lies outside of what RECORDINGS_URL names.' };

test('reads what lies below its folder, also where the folder has another name', async () => {
  const base = await makeTempFolder();
  const url = await keep(join(base, 'kept'), 'audio');
  await symlink(join(base, 'kept'), join(base, 'link'));
  expect(await textOf(openBoundStorage(`file:${base}/kept`), url)).toBe('audio');
  expect(await textOf(openBoundStorage(`file:${base}/link`), url)).toBe('audio');
  expect(await textOf(openBoundStorage(`file:${base}/kept`), `file:${base}/link/${KEY}`)).toBe('audio');
});

test('reads no file outside, whatever its name, and does not tell whether there is one', async () => {
  const base = await makeTempFolder();
  const other = await keep(join(base, 'kept-elsewhere'), 'secret');
  await mkdir(join(base, 'kept/agent_2'), { recursive: true });
  await symlink(join(base, 'kept-elsewhere/agent_1/undated'), join(base, 'kept/agent_2/undated'));
  const storage = openBoundStorage(`file:${base}/kept`);
  for (const url of [
    other,
    `file:${base}/nowhere/${KEY}`,
    `file:${base}/kept/agent_2/undated/conv_1.mp3`,
    `file:${base}/kept/../kept-elsewhere/${KEY}`,
    `file:kept-elsewhere/${KEY}`,
    `file:${base}/kept`,
    'file:/etc/passwd',
    `s3://calls/${KEY}`,
    'https://example.com/a.mp3',
    '',
  ]) {
    // oxlint-disable-next-line no-await-in-loop -- a few
    await expect.soft(textOf(storage, url), url).rejects.toMatchObject(outside);
  }
  await expect(textOf(storage, `file:${base}/kept/agent_1/undated/none.mp3`)).rejects.toMatchObject({
    code: 'missing',
  });
});

test('reads from its own bucket, behind its prefix, alone', async () => {
  const storage = openBoundStorage('s3://calls/live?endpoint=http://127.0.0.1:1');
  const inside = textOf(storage, `s3://calls/live/${KEY}`);
  for (const url of [
    `s3://other/live/${KEY}`,
    `s3://calls/${KEY}`,
    `s3://calls/live-2/${KEY}`,
    `s3://calls/live/more/${KEY}`,
    's3://calls/live/secrets.txt',
    'file:/etc/agent_1/undated/conv_1.mp3',
  ]) {
    // oxlint-disable-next-line no-await-in-loop -- a few
    await expect.soft(textOf(storage, url), url).rejects.toMatchObject(outside);
  }
  // It was asked for, and nobody listens there; or the connection was closed before.
  storage.close();
  await expect(inside).rejects.toMatchObject({ code: 'unavailable' });
});
