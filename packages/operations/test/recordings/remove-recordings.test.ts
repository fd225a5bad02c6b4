import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openRemover } from '@landline/recordings';
import type { RecordingsToRemove, RecordingToRemove } from '@landline/store';
import { expect, test } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { removeRecordings } from '../../src/recordings/remove-recordings.ts';

const never = new AbortController().signal;

/** The list as the table keeps it. */
function aList(
  urls: readonly string[],
): RecordingsToRemove & { files: Map<string, RecordingToRemove & { error?: string }> } {
  const files = new Map(urls.map((url) => [url, { url, requests: 1 }]));
  return {
    files,
    list: async ({ after = '', limit }) =>
      [...files.values()]
        .filter(({ url }) => url > after)
        .toSorted((a, b) => (a.url < b.url ? -1 : 1))
        .slice(0, limit),
    async removed({ url, requests }) {
      if (files.get(url)?.requests === requests) files.delete(url);
    },
    stays: async (url, error) => void Object.assign(files.get(url) ?? {}, { error }),
    count: async () => ({ waiting: files.size, failed: 0 }),
  };
}

async function aRecording(folder: string, name: string): Promise<string> {
  const path = join(folder, `agent/2026/01/05/${name}.mp3`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, 'abc');
  return `file:${path}`;
}

test('files go, those of an earlier RECORDINGS_URL as well, and one that is gone already', async () => {
  const [folder, earlier] = [await makeTempFolder(), await makeTempFolder()];
  const urls = await Promise.all([aRecording(folder, 'one'), aRecording(earlier, 'two'), aRecording(folder, 'gone')]);
  await rm(urls[2]?.slice('file:'.length) ?? '');
  const recordings = aList(urls);
  const storage = openRemover(`file:${folder}`);
  expect(await removeRecordings({ recordings, storage }, never)).toEqual({ removed: 3, failed: 0, error: undefined });
  expect(recordings.files.size).toBe(0);
  expect(await readdir(join(folder, 'agent/2026/01/05'))).toEqual([]);
  expect(await readdir(join(earlier, 'agent/2026/01/05'))).toEqual([]);
});

test('a file on another machine, and one in a bucket that nobody named, stay on the list with what to do', async () => {
  const folder = await makeTempFolder();
  const url = await aRecording(folder, 'one');
  await rm(folder, { recursive: true });
  const bucket = 's3://calls/agent/2026/01/05/two.mp3';
  const other = await aRecording(await makeTempFolder(), 'three');
  const recordings = aList([url, bucket, other]);
  expect(await removeRecordings({ recordings, storage: openRemover('') }, never)).toMatchObject({
    removed: 1,
    failed: 2,
  });
  expect(recordings.files.get(url)?.error).toMatch(/is on another machine/);
  expect(recordings.files.get(bucket)?.error).toMatch(/Set RECORDINGS_URL of the workers/);
  expect([...recordings.files.keys()].toSorted()).toEqual([url, bucket].toSorted());
});

test('a file that was asked for once more meanwhile stays on the list', async () => {
  const url = await aRecording(await makeTempFolder(), 'one');
  const recordings = aList([url]);
  const storage = {
    async remove() {
      // A late delivery has brought it back.
      recordings.files.set(url, { url, requests: 2 });
    },
  };
  await removeRecordings({ recordings, storage }, never);
  expect([...recordings.files.keys()]).toEqual([url]);
});

test('of 250 files each stays with a reason, and a storage that is away is not asked for each of them', async () => {
  const urls = Array.from({ length: 250 }, (_, i) => `s3://calls/agent/2026/01/05/${i}.mp3`);
  const tried: string[] = [];
  const storage = {
    remove: async (url: string) => {
      tried.push(url);
      throw new Error('away');
    },
  };
  const recordings = aList(urls);
  expect(await removeRecordings({ recordings, storage }, never)).toEqual({
    removed: 0,
    failed: 250,
    error: 'away',
  });
  expect(tried).toHaveLength(5);
  expect([...recordings.files.values()].filter(({ error }) => error === 'away')).toHaveLength(250);
});
