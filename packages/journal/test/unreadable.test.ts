import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { namesIn } from '@landline/held-folder/files';
import { holdFolder } from '@landline/held-folder';
import { takeOver } from '../src/takeover/take-over.ts';
import { aJournal, drain, event, leftBehind, segmentFiles } from './support/a-journal.ts';

class FailingDisk extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`${code}: made up`);
    this.code = code;
  }
}

/** The journal of a killed process with one event that Redis does not have. */
async function killed(): Promise<string> {
  const journal = await aJournal();
  (await journal.append([event('pending')])).failed();
  return leftBehind(journal.dir);
}

describe.each(['EMFILE', 'ENFILE', 'EIO', 'EACCES'])('a folder of a dead process that cannot be listed: %s', (code) => {
  it.each([
    ['at first', [true, false]],
    ['twice', [true, true]],
    ['when it is taken over already', [false, true]],
  ])('%s, stays with its contents, is reported, and is taken over later', async (_name, failures) => {
    const dir = await killed();
    const own = await holdFolder(dir);
    const errors: Error[] = [];
    const left = [...failures];
    await takeOver({
      journalDir: dir,
      folder: own,
      inherit: () => Promise.resolve(),
      onTaken: (segment) => void segment.close(),
      onError: (error) => errors.push(error),
      list: (folder) => (left.shift() === true ? Promise.reject(new FailingDisk(code)) : namesIn(folder)),
    });
    expect(errors).toMatchObject([{ message: expect.stringContaining(code) }]);
    await own.release();
    const journal = await aJournal({ dir });
    expect(await drain(journal)).toEqual(['pending']);
    // Files whose records are all enqueued are removed.
    expect(await readdir(dir)).toHaveLength(1);
  });
});

it('a file in a dead folder that Landline did not make stays there and is reported; the events are taken over', async () => {
  const dir = await killed();
  const [segment = ''] = await segmentFiles(dir);
  const foreign = join(segment, '..', 'photo.jpg');
  await writeFile(foreign, 'a photo');
  const journal = await aJournal({ dir });
  expect(await drain(journal)).toEqual(['pending']);
  expect((await stat(foreign)).size).toBe(7);
  expect(journal.errors).toEqual([expect.stringContaining('photo.jpg')]);
});

it('what could not be taken over is counted', async () => {
  const dir = await killed();
  const [segment = ''] = await segmentFiles(dir);
  const { size } = await stat(segment);
  // The content of a file without a segment header is unknown.
  await writeFile(segment, Buffer.alloc(size));
  const journal = await aJournal({ dir });
  expect(journal.stats().unheldPendingBytes).toBe(size);
});

it('a folder that another program made beside those of the processes is neither counted nor touched', async () => {
  const dir = join(await makeTempFolder(), 'journal');
  await mkdir(join(dir, 'lost+found'), { recursive: true });
  await writeFile(join(dir, 'lost+found', 'file'), Buffer.alloc(100_000));
  const journal = await aJournal({ dir });
  await vi.waitUntil(() => journal.stats().bytes > 0, { timeout: 20_000 });
  expect(journal.stats().bytes).toBeLessThan(10_000);
  await journal.close();
  expect(await readdir(dir)).toEqual(['lost+found']);
});
