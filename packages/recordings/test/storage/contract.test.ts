import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { openStorage } from '../../src/storage/open-storage.ts';
import { createFileStorage } from '../../src/storage/file/file-storage.ts';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { testStorage, type Subject } from './contract.ts';
import { setCredentials } from './support/credentials.ts';
import { BUCKET, keysIn, startS3rver, startStrictS3 } from './support/s3-servers.ts';

testStorage('a folder', async () => {
  const folder = await makeTempFolder();
  return { storage: openStorage(`file:${folder}`), base: `file:${folder}/`, list: () => filesIn(folder) };
});

testStorage('a folder of a file system without hard links', async () => {
  const folder = await makeTempFolder();
  return {
    storage: createFileStorage(folder, { linkFile: noLinks }),
    base: `file:${folder}/`,
    list: () => filesIn(folder),
  };
});

testStorage('a bucket of a server that takes no conditions', async () => {
  const origin = await startS3rver();
  return bucketAt(origin, () => keysIn(origin));
});

testStorage(
  'a bucket of a server that verifies everything',
  async () => {
    const { origin, objects } = await startStrictS3();
    return bucketAt(origin, () => Promise.resolve([...objects.keys()]));
  },
  { isHeld: true },
);

function noLinks(): Promise<void> {
  return Promise.reject(Object.assign(new Error('no links'), { code: 'EPERM' }));
}

function bucketAt(origin: string, keys: () => Promise<string[]>): Subject {
  setCredentials();
  return {
    storage: openStorage(`s3://${BUCKET}/calls?endpoint=${origin}`),
    base: `s3://${BUCKET}/calls/`,
    list: async () =>
      (await keys()).map((key) => key.replace(/^calls\//, '')).filter((key) => key !== '.landline-check'),
  };
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}
