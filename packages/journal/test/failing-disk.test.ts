import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { JournalUnavailableError } from '../src/errors.ts';
import { aJournal, drain, event } from './support/a-journal.ts';

describe('a disk that fails', () => {
  it('is told with its reason, refuses groups, and is tried again', async () => {
    const folder = await makeTempFolder();
    const dir = join(folder, 'journal');
    await writeFile(dir, 'in the way');
    const journal = await aJournal({ dir });
    expect([journal.status(), journal.errors.length, journal.errors[0]]).toEqual([
      'failed',
      1,
      expect.stringContaining(dir),
    ]);
    await expect(journal.append([event('1')])).rejects.toBeInstanceOf(JournalUnavailableError);
    await rm(dir);
    await vi.waitUntil(() => journal.status() === 'ready', { timeout: 10_000 });
    expect([journal.returns(), journal.errors.length]).toEqual([1, 1]);
    (await journal.append([event('2')])).failed();
    expect(await drain(journal)).toEqual(['2']);
  });

  it('whose folder is taken away goes on in a new one, and what was open is not lost', async () => {
    const journal = await aJournal();
    (await journal.append([event('before')])).failed();
    await rename(journal.dir, `${journal.dir}-taken-away`);
    await vi.waitUntil(() => journal.errors.length > 0, { timeout: 10_000 });
    await vi.waitUntil(() => journal.status() === 'ready', { timeout: 10_000 });
    (await journal.append([event('after')])).failed();
    expect(await drain(journal)).toEqual(['before', 'after']);
  });
});

it('a folder that is taken away and comes back is used again', async () => {
  const journal = await aJournal();
  (await journal.append([event('before')])).failed();
  await rename(journal.dir, `${journal.dir}-taken-away`);
  await vi.waitUntil(() => journal.errors.length > 0, { timeout: 10_000 });
  await rm(journal.dir, { recursive: true, force: true });
  await rename(`${journal.dir}-taken-away`, journal.dir);
  await vi.waitUntil(() => journal.status() === 'ready', { timeout: 10_000 });
  (await journal.append([event('after')])).failed();
  expect(await drain(journal)).toEqual(expect.arrayContaining(['before', 'after']));
});
