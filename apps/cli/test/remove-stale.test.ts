import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';

const SCRIPT = new URL('../bin/remove-stale.mjs', import.meta.url).href;

async function removeStale(folder: string): Promise<void> {
  const code = `import { removeStale } from ${JSON.stringify(SCRIPT)};
    removeStale({ src: 'src', dist: 'dist' });`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { cwd: folder });
}

async function write(folder: string, files: readonly string[]): Promise<void> {
  for (const file of files) {
    // oxlint-disable no-await-in-loop -- a few
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), '');
    // oxlint-enable no-await-in-loop
  }
}

test('a build loses the outputs of sources that are gone, and nothing else', async () => {
  const folder = await makeTempFolder();
  await write(folder, ['src/main.ts', 'src/inner/kept.ts']);
  const kept = ['main.js', 'main.js.map', 'main.d.ts', 'tsconfig.tsbuildinfo', 'inner/kept.js'];
  const stale = ['moved.js', 'moved.js.map', 'moved.d.ts', 'inner/moved.js', 'older/layout/file.js'];
  await write(
    folder,
    [...kept, ...stale].map((file) => `dist/${file}`),
  );
  await removeStale(folder);
  const left = await readdir(join(folder, 'dist'), { recursive: true });
  expect(left.toSorted()).toEqual(['inner', ...kept].toSorted());
});

test('a package that was never built is left alone', async () => {
  const folder = await makeTempFolder();
  await write(folder, ['src/main.ts']);
  await removeStale(folder);
  expect(await readdir(folder)).toEqual(['src']);
});
