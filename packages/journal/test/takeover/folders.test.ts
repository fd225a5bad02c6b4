import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { makeFolder } from '@landline/held-folder';
import { removeFolder } from '../../src/takeover/remove-folder.ts';

const SEGMENT = '001767225600000-000000-0123456789ab.log';

async function folderWith(...names: string[]): Promise<string> {
  const folder = join(await makeTempFolder(), 'aaaaaaaaaaaa');
  await mkdir(folder);
  await Promise.all(names.map((name) => writeFile(join(folder, name), 'x')));
  return folder;
}

describe('a folder that is made', () => {
  it('comes with those above it, and may be there already', async () => {
    const root = await makeTempFolder();
    const path = join(root, 'a', 'b', 'c');
    await makeFolder(path);
    await makeFolder(path);
    expect((await stat(path)).isDirectory()).toBe(true);
    expect((await stat(join(root, 'a'))).mode & 0o777).toBe(0o700);
  });

  it('is made once by many at a time', async () => {
    const path = join(await makeTempFolder(), 'a', 'b');
    await Promise.all(Array.from({ length: 8 }, () => makeFolder(path)));
    expect((await stat(path)).isDirectory()).toBe(true);
  });

  it('is refused below a file', async () => {
    const root = await makeTempFolder();
    await writeFile(join(root, 'file'), '');
    await expect(makeFolder(join(root, 'file', 'a'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });
});

describe('a folder that is done with', () => {
  it('is removed with all that Landline puts beside segments', async () => {
    const folder = await folderWith('lock', 'notes.json', 'notes.json.new', `${SEGMENT}.mark`, `${SEGMENT}.mark.new`);
    await removeFolder(folder);
    await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(removeFolder(folder)).resolves.toBeUndefined();
  });

  it.each([SEGMENT, `${SEGMENT}.damaged-12`])('stays with all that is in it where there is %s', async (name) => {
    const folder = await folderWith(name, 'lock', `${SEGMENT}.mark`);
    await removeFolder(folder);
    expect(await readdir(folder)).toHaveLength(3);
  });

  it('stays with its contents where another program has put a file there; the error names the file', async () => {
    const folder = await folderWith('lock', 'photo.jpg');
    await expect(removeFolder(folder)).rejects.toThrow('photo.jpg');
    expect(await readdir(folder)).toHaveLength(2);
    await rm(join(folder, 'photo.jpg'));
    await removeFolder(folder);
    await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('stays where it cannot be listed: it is not taken for an empty one', async () => {
    const folder = await folderWith('lock');
    await expect(removeFolder(folder, () => Promise.reject(new Error('EIO: made up')))).rejects.toThrow('EIO');
    expect(await readdir(folder)).toEqual(['lock']);
  });
});
