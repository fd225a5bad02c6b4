import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { beginSegment } from '../src/segment.ts';

/** No file of this process may grow past so many bytes: a write takes a part, and says no word, as on a disk that is nearly full. */
function boundFiles(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', [`--pid=${process.pid}`, `--fsize=${bytes}:`]);
}

test.runIf(process.platform === 'linux')(
  'a disk that takes only a part of the header begins no segment, and keeps none',
  async () => {
    const folder = await makeTempFolder();
    onTestFinished(() => boundFiles('unlimited'));
    boundFiles(5);
    await expect(beginSegment(folder, '0123456789ab', 1, 0)).rejects.toThrow('the disk is full');
    boundFiles('unlimited');
    expect(await readdir(folder)).toEqual([]);
  },
);
