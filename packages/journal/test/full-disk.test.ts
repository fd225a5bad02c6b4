import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { createClock } from '../src/clock.ts';
import { beginRecord } from '../src/segment/record.ts';
import { beginSegment } from '../src/segment/begin-segment.ts';
import { createWriter } from '../src/segment/writer.ts';
import { aJournal, drain, event, MEBIBYTE } from './support/a-journal.ts';

/** The greatest size of this process's files. A write past it takes a part without an error, as on a nearly full disk. */
function boundFiles(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', [`--pid=${process.pid}`, `--fsize=${bytes}:`]);
}

test.runIf(process.platform === 'linux')(
  'a disk that takes only a part of the header begins no segment, and keeps none',
  async () => {
    const folder = await makeTempFolder();
    onTestFinished(() => boundFiles('unlimited'));
    boundFiles(5);
    await expect(beginSegment(folder, '0123456789ab', { at: 1, number: 0 })).rejects.toThrow('the disk is full');
    boundFiles('unlimited');
    expect(await readdir(folder)).toEqual([]);
  },
);

test.runIf(process.platform === 'linux')(
  'a write that finds the disk full stops the file that was begun meanwhile as well',
  async () => {
    const folder = await makeTempFolder();
    const [older, newer] = [
      await beginSegment(folder, '0123456789ab', { at: 1, number: 0 }),
      await beginSegment(folder, '0123456789ab', { at: 2, number: 1 }),
    ];
    onTestFinished(async () => {
      boundFiles('unlimited');
      await Promise.all([older.close(), newer.close()]);
    });
    const faults: Error[] = [];
    const writer = createWriter({ timeoutMs: 5000, onFault: (fault) => faults.push(fault), clock: createClock() });
    writer.moveTo(older);
    boundFiles(100);
    const written = Promise.allSettled([writer.write(beginRecord([event('x'.repeat(500))]))]);
    // The write is under way when the next file takes its place.
    await Promise.resolve();
    writer.moveTo(newer);
    expect(await written).toMatchObject([{ status: 'rejected', reason: { code: 'journal_unavailable' } }]);
    expect(faults).toMatchObject([{ code: 'ENOSPC' }]);
    await expect(writer.write(beginRecord([event('x')]))).rejects.toThrow('no file to write to');
  },
);

test('a full disk is no end while something is on it that Redis has', async (context) => {
  const disk = await makeTempFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk], { stdio: 'pipe' });
  } catch (error) {
    context.skip(`no file system can be mounted here: ${String(error)}`);
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', disk]));
  const journal = await aJournal({ dir: join(disk, 'journal'), limitBytes: 8 * MEBIBYTE });
  const append = (body: string) => journal.append([event(body.padEnd(50_000, 'x'))]);
  (await append('pending')).failed();
  await expect(
    (async () => {
      for (let i = 0; i < 100; i++) (await append(`${i}`)).enqueued();
    })(),
  ).rejects.toThrow(/ENOSPC|is full/);
  await vi.waitUntil(() => journal.status() === 'ready', { timeout: 20_000 });
  for (let i = 0; i < 10; i++) (await append(`${i}`)).enqueued();
  expect((await drain(journal)).map((body) => body.replace(/x+$/, ''))).toEqual(['pending']);
});
