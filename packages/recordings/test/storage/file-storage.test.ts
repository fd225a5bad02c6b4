import { execFileSync } from 'node:child_process';
import { link, mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { expect, onTestFinished, test, vi, type TestContext } from 'vitest';
import { createFileStorage } from '../../src/storage/file/file-storage.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { contentOf, factsOf, KEY, partsOf } from './support/contents.ts';

const MEGABYTE = 1024 * 1024;
const HOUR_MS = 60 * 60 * 1000;

test('keeps folders and files for its user alone', async () => {
  const folder = join(await makeTempFolder(), 'made');
  await openStorage(`file:${folder}`).put(contentOf(10));
  const names = ['', 'agent_1', 'agent_1/2026', 'agent_1/2026/03', 'agent_1/2026/03/01', '.parts', KEY];
  const modes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).mode & 0o777));
  expect(modes).toEqual([0o700, 0o700, 0o700, 0o700, 0o700, 0o700, 0o600]);
});

test('resolves a relative folder against the working directory', async () => {
  const folder = join(await makeTempFolder(), 'made');
  const { url } = await openStorage(`file:${relative(process.cwd(), folder)}`).put(contentOf(10));
  expect(url).toBe(`file:${folder}/${KEY}`);
});

test('reads and removes a recording of an earlier folder', async () => {
  const [earlier, now] = [openStorage(`file:${await makeTempFolder()}`), openStorage(`file:${await makeTempFolder()}`)];
  const { url } = await earlier.put(contentOf(10));
  expect(await factsOf(now.read(url))).toMatchObject({ bytes: 10 });
  await now.remove(url);
  await expect(factsOf(earlier.read(url))).rejects.toMatchObject({ code: 'missing' });
});

test('keeps both of two contents that several processes store at the same time under one key', async () => {
  const folder = await makeTempFolder();
  const contents = [contentOf(MEGABYTE), contentOf(MEGABYTE, { seed: 2 })];
  // Each has its own turns, as a process of its own has.
  const puts = Array.from({ length: 10 }, (_, at) => contents[at % 2] ?? contentOf(1));
  const urls = await Promise.all(puts.map(async (content) => (await openStorage(`file:${folder}`).put(content)).url));
  expect(new Set(urls).size).toBe(2);
  const read = await Promise.all(urls.map((url) => factsOf(openStorage(`file:${folder}`).read(url))));
  expect(read.map(({ sha256 }) => sha256)).toEqual(puts.map(({ sha256 }) => sha256));
  expect(await readdir(join(folder, '.parts'))).toEqual([]);
});

test('never follows a link that stands in place of a recording', async () => {
  const folder = await makeTempFolder();
  const secret = join(folder, 'secret');
  await writeFile(secret, 'secret');
  await mkdir(dirname(join(folder, KEY)), { recursive: true });
  await symlink(secret, join(folder, KEY));
  const storage = openStorage(`file:${folder}`);
  await expect(factsOf(storage.read(`file:${join(folder, KEY)}`))).rejects.toMatchObject({ code: 'refused' });
  await expect(storage.put({ ...contentOf(6), open: () => partsOf(6) })).rejects.toMatchObject({ code: 'refused' });
  expect(await readFile(secret, 'utf8')).toBe('secret');
});

test('replaces no file that was cut, and stores beside it', async () => {
  const folder = await makeTempFolder();
  const storage = openStorage(`file:${folder}`);
  const content = contentOf(1000);
  await storage.put(content);
  await writeFile(join(folder, KEY), 'cut');
  const { url } = await storage.put(content);
  expect(url).toBe(`file:${folder}/agent_1/2026/03/01/conv_1-${content.sha256.slice(0, 16)}.mp3`);
  await writeFile(url.slice('file:'.length), 'cut as well');
  await expect(storage.put(content)).rejects.toThrow('both hold other contents');
  expect(await readFile(join(folder, KEY), 'utf8')).toBe('cut');
});

test.for([
  ['check', (storage: ReturnType<typeof openStorage>) => storage.check()],
  ['the first put', (storage: ReturnType<typeof openStorage>) => storage.put(contentOf(10))],
] as const)('%s removes what a killed process left a day ago, and nothing else', async ([, act]) => {
  const folder = await makeTempFolder();
  const parts = join(folder, '.parts');
  await mkdir(parts);
  const leave = async (name: string, hours: number): Promise<void> => {
    await writeFile(join(parts, name), 'part');
    const at = new Date(Date.now() - hours * HOUR_MS);
    await utimes(join(parts, name), at, at);
  };
  await leave(`${'a'.repeat(24)}.part`, 25);
  await leave(`${'b'.repeat(24)}.part`, 23);
  await leave('notes.txt', 25);
  await act(openStorage(`file:${folder}`));
  expect((await readdir(parts)).toSorted()).toEqual([`${'b'.repeat(24)}.part`, 'notes.txt']);
});

test('says that its disk is full, leaves nothing, and goes on when there is room', async (context) => {
  const disk = await mountDisk(context, 'size=2m');
  const storage = openStorage(`file:${disk}`);
  await storage.check();
  await expect(storage.put(contentOf(3 * MEGABYTE))).rejects.toMatchObject({
    name: 'StorageError',
    code: 'full',
    message: expect.stringMatching(/The disk of the recordings is full \(ENOSPC, .*Make room on it/),
  });
  expect(await readdir(join(disk, '.parts'))).toEqual([]);
  const filler = join(disk, 'filler');
  await writeFile(filler, Buffer.alloc(2 * MEGABYTE)).catch(() => undefined);
  await expect(storage.check()).rejects.toMatchObject({ code: 'full' });
  await writeFile(filler, '');
  await storage.check();
  await storage.put(contentOf(MEGABYTE));
});

test('says that its disk is read-only', async (context) => {
  const disk = await mountDisk(context, 'size=2m');
  const storage = openStorage(`file:${disk}`);
  const { url } = await storage.put(contentOf(10));
  execFileSync('mount', ['-o', 'remount,ro', disk]);
  const refused = { code: 'refused', message: expect.stringContaining('Mount it for writing') };
  await expect(storage.put(contentOf(10, { key: 'a/undated/b.mp3' }))).rejects.toMatchObject(refused);
  await expect(storage.check()).rejects.toMatchObject(refused);
  expect(await factsOf(storage.read(url))).toMatchObject({ bytes: 10 });
});

test('says that a file stands where its folder should be', async () => {
  const folder = join(await makeTempFolder(), 'recordings');
  await writeFile(folder, '');
  const refused = { code: 'refused', message: expect.stringContaining('Move it away') };
  await expect(openStorage(`file:${folder}`).put(contentOf(10))).rejects.toMatchObject(refused);
  await expect(openStorage(`file:${folder}`).check()).rejects.toMatchObject(refused);
});

/** Mounts a small disk for the running test; skips it where none can be mounted. */
async function mountDisk(context: TestContext, options: string): Promise<string> {
  const disk = await makeTempFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk], { stdio: 'pipe' });
  } catch (error) {
    context.skip(`no file system can be mounted here: ${String(error)}`);
  }
  onTestFinished(() => void execFileSync('umount', [disk]));
  return disk;
}

test('removes the part that a killed process left of a content, once the content is in place, and no other part', async () => {
  const folder = await makeTempFolder();
  // These never put their parts in place, as processes that were killed.
  const killed = () => createFileStorage(folder, { linkFile: () => new Promise(() => undefined) });
  const other = contentOf(5, { key: KEY.replace('conv_1', 'conv_2') });
  void killed().put(contentOf(3_000_000));
  void killed().put(other);
  const parts = () => readdir(join(folder, '.parts')).catch(() => []);
  await vi.waitUntil(async () => (await parts()).length === 2, { timeout: 20_000 });
  expect(await createFileStorage(folder).put(contentOf(3_000_000))).toEqual({ url: `file:${join(folder, KEY)}` });
  expect(await parts()).toHaveLength(1);
  await createFileStorage(folder).put(other);
  expect(await parts()).toEqual([]);
});

test('a content that another process puts in place meanwhile, and whose part it removes, is stored once', async () => {
  const folder = await makeTempFolder();
  const storage = createFileStorage(folder, {
    async linkFile(from, to) {
      await createFileStorage(folder).put(contentOf(70_000));
      await link(from, to);
    },
  });
  expect(await storage.put(contentOf(70_000))).toEqual({ url: `file:${join(folder, KEY)}` });
  expect(await factsOf(storage.read(`file:${join(folder, KEY)}`))).toMatchObject({ bytes: 70_000 });
});
