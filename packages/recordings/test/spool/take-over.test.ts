import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { createSpool, type Spool } from '../../src/spool/spool.ts';
import type { SpooledBody } from '../../src/spool/spooled-body.ts';
import { takeOver } from '../../src/spool/take-over.ts';

const name = (n: number) => `00176722560000${n}-00000000000${n}.body`;

/** A folder as an ended process leaves it, with bodies whose content does not matter. */
async function deadFolder(dir: string, count: number): Promise<string> {
  const folder = join(dir, 'dead00');
  await mkdir(folder);
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  for (let n = 1; n <= count; n++) await writeFile(join(folder, name(n)), 'a body');
  return folder;
}

it('names each file that it took, also where a later one cannot be taken yet', async () => {
  const dir = await makeTempFolder();
  await deadFolder(dir, 3);
  const folder = join(dir, 'beef00');
  // The second cannot be moved: a folder has its name.
  await mkdir(join(folder, name(2)), { recursive: true });
  const [taken, errors]: [string[], Error[]] = [[], []];
  const options = {
    dir,
    folder: { path: folder, owner: 'beef00' },
    onTaken: (path: string) => taken.push(basename(path)),
    onError: (error: Error) => errors.push(error),
  };
  await takeOver(options);
  expect([taken, errors.length]).toEqual([[name(1)], 1]);
  await rename(join(folder, name(2)), join(folder, 'away'));
  await takeOver(options);
  expect([taken, errors.length]).toEqual([[name(1), name(2), name(3)], 1]);
});

interface TestSpool extends Spool {
  bodies: SpooledBody[];
  errors: string[];
}

async function aSpool(dir: string): Promise<TestSpool> {
  const [bodies, errors]: [SpooledBody[], string[]] = [[], []];
  const spool = createSpool({
    dir,
    limitBytes: 16_777_216,
    onBody: (body) => bodies.push(body),
    onError: ({ message }) => errors.push(message),
    onReady: () => undefined,
    checkMs: 20,
  });
  onTestFinished(() => spool.close());
  await spool.open();
  return { ...spool, bodies, errors };
}

async function keepIn(spool: Spool): Promise<SpooledBody> {
  const body = Buffer.alloc(1000, 'x');
  const sha256 = createHash('sha256').update(body).digest('hex');
  const writer = spool.begin({ isLarge: true });
  await writer.write(body);
  return writer.keep({ receivedAt: 1, signedAt: 1, secretId: '0123abcd', eventId: 'an event', sha256, bytes: 1000 });
}

it('reads a file that the disk does not give again and again, counts it once, and goes on with the others', async () => {
  const dir = await makeTempFolder();
  const first = await aSpool(dir);
  const { path, facts } = await keepIn(first);
  await first.close();
  // Reading a folder fails as a bad sector does; its name comes before the body's.
  await mkdir(join(path, '..', name(1)));
  const heir = await aSpool(dir);
  expect(heir.bodies.map((found) => found.facts)).toEqual([facts]);
  const bytes = heir.stats().bytes;
  await heir.bodies[0]?.remove();
  const [own = ''] = await readdir(dir);
  expect(heir.status()).toBe('failed');
  await rename(join(dir, own, name(1)), join(dir, own, 'away'));
  await expect.poll(() => heir.status(), { timeout: 20_000 }).toBe('ready');
  expect(bytes).toBeLessThan(2000);
  expect(heir.stats()).toMatchObject({ files: 0, bytes: 0 });
  expect(heir.errors).toHaveLength(1);
});

it('makes a new folder where somebody removed its own while it runs', async () => {
  const folder = await makeTempFolder();
  const dir = join(folder, 'spool');
  const spool = await aSpool(dir);
  const [own = ''] = await readdir(dir);
  // At once: the spool may make a new folder there while the old one is being removed.
  await rename(dir, join(folder, 'gone'));
  await rm(join(folder, 'gone'), { recursive: true });
  const found = () => readdir(dir).catch(() => []);
  await expect.poll(found, { timeout: 20_000 }).toEqual([expect.not.stringContaining(own)]);
  // The folder is there a moment before the spool holds it.
  await expect.poll(() => spool.status(), { timeout: 20_000 }).toBe('ready');
  await keepIn(spool);
  expect([spool.bodies.length, spool.status()]).toEqual([1, 'ready']);
});
