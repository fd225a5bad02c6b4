import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { canInstall, thisMachine } from '../../src/machine/machine.ts';

test('finds a program on the search path, in the first folder that has it', async () => {
  const [first, second] = [await makeTempFolder(), await makeTempFolder()];
  for (const folder of [first, second]) await symlink(process.execPath, join(folder, 'a-program'));
  expect(thisMachine([first, second].join(delimiter)).find('a-program')).toBe(join(first, 'a-program'));
  expect(thisMachine(`${delimiter}${second}`).find('a-program')).toBe(join(second, 'a-program'));
  expect(thisMachine().find('a-program')).toBeUndefined();
});

test('does not find a file that cannot be run', async () => {
  const folder = await makeTempFolder();
  await writeFile(join(folder, 'notes'), 'text', { mode: 0o644 });
  expect(thisMachine(folder).find('notes')).toBeUndefined();
});

test('finds a program in the usual folders, also where the search path does not name them', async () => {
  const empty = join(await makeTempFolder(), 'bin');
  await mkdir(empty);
  expect(thisMachine(empty).find('env')).toMatch(/\/env$/);
});

test.each([
  [true, ['apt-get'], true],
  [true, [], false],
  [false, ['apt-get'], false],
])('as root: %s, with %j, installs without asking: %s', (isRoot, programs, expected) => {
  const find = (program: string) => (programs.includes(program) ? `/usr/bin/${program}` : undefined);
  expect(canInstall({ isRoot, find, install: () => Promise.resolve() })).toBe(expected);
});
