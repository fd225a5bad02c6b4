import { mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { basename, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { holdFolder, lockOf, otherFolders, removeUnfinished, type OwnFolder } from '../src/held-folder.ts';

const MINUTE_MS = 60_000;

async function held(dir: string, serve?: (socket: Socket) => void): Promise<OwnFolder> {
  const folder = await holdFolder(dir, serve);
  onTestFinished(() => folder.release());
  return folder;
}

describe('the folder of a process', () => {
  it('has a name of its own, for its user alone', async () => {
    const dir = join(await makeTempFolder(), 'journal');
    const folders = await Promise.all(Array.from({ length: 5 }, () => held(dir)));
    expect((await readdir(dir)).sort()).toEqual(folders.map(({ owner }) => owner).sort());
    expect(folders.every(({ owner, path }) => /^[0-9a-f]{12}$/.test(owner) && path === join(dir, owner))).toBe(true);
    expect((await stat(folders[0]?.path ?? '')).mode & 0o777).toBe(0o700);
  });

  it('is held from the moment that it has its name, until it is released', async () => {
    const dir = await makeTempFolder();
    const folder = await held(dir);
    expect(await otherFolders(dir)).toEqual([{ path: folder.path, isHeld: true }]);
    expect(await otherFolders(dir, folder.owner)).toEqual([]);
    await folder.release();
    expect(await otherFolders(dir)).toEqual([{ path: folder.path, isHeld: false }]);
  });

  it('is held also where it was moved with all that is around it', async () => {
    const root = await makeTempFolder();
    const folder = await held(join(root, 'journal'));
    await rename(join(root, 'journal'), join(root, 'moved'));
    expect(await otherFolders(join(root, 'moved'))).toEqual([
      { path: join(root, 'moved', folder.owner), isHeld: true },
    ]);
  });

  it('is not held without a socket, nor with a file in its place', async () => {
    const dir = await makeTempFolder();
    await mkdir(join(dir, 'aaaaaaaaaaaa'));
    await mkdir(join(dir, 'bbbbbbbbbbbb'));
    await writeFile(join(dir, 'bbbbbbbbbbbb', 'lock'), '');
    expect((await otherFolders(dir)).map(({ isHeld }) => isHeld)).toEqual([false, false]);
  });

  it('serves each connection, and closes them when it is released', async () => {
    const served: Socket[] = [];
    const folder = await held(await makeTempFolder(), (socket) => served.push(socket));
    const socket = connect(lockOf(folder.path));
    const closed = new Promise((done) => socket.once('close', done));
    await new Promise((done) => socket.once('connect', done));
    await expect.poll(() => served.length, { timeout: 20_000 }).toBe(1);
    await folder.release();
    await closed;
    expect(socket.destroyed).toBe(true);
  });

  it('cannot be made where its socket would have too long a path; the error says so', async () => {
    const dir = join(await makeTempFolder(), 'x'.repeat(120));
    await expect(holdFolder(dir)).rejects.toThrow('which the system does not take');
  });

  it('is none that another program made', async () => {
    const dir = await makeTempFolder();
    await Promise.all(['lost+found', '.aaaaaaaaaaaa', 'Abc', 'notes.json'].map((name) => mkdir(join(dir, name))));
    await writeFile(join(dir, 'cccccccccccc'), 'a file');
    expect(await otherFolders(dir)).toEqual([]);
  });
});

describe('a folder that a process died while it made', () => {
  it('is removed when it was seen for a minute, and not before', async () => {
    const dir = await makeTempFolder();
    await mkdir(join(dir, '.aaaaaaaaaaaa'));
    const seen = new Map<string, number>();
    for (const elapsed of [0, 1000, MINUTE_MS]) await removeUnfinished(dir, seen, elapsed);
    expect(await readdir(dir)).toEqual(['.aaaaaaaaaaaa']);
    await removeUnfinished(dir, seen, MINUTE_MS + 1);
    expect(await readdir(dir)).toEqual([]);
    await removeUnfinished(dir, seen, MINUTE_MS + 2);
    expect(seen.size).toBe(0);
  });

  it('stays while a process listens in it', async () => {
    const dir = await makeTempFolder();
    const folder = await held(dir);
    const unfinished = join(dir, `.${folder.owner}`);
    await rename(folder.path, unfinished);
    const seen = new Map<string, number>();
    for (const elapsed of [0, 2 * MINUTE_MS]) await removeUnfinished(dir, seen, elapsed);
    expect(await readdir(dir)).toEqual([basename(unfinished)]);
  });
});
