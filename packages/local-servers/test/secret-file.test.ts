import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { keepSecret, makeSecret, readKeptSecret, readOrMakeSecret } from '../src/secret-file.ts';

async function aFile(): Promise<string> {
  return join(await makeTempFolder(), 'password');
}

test('makes a secret once, and keeps it for its owner alone', async () => {
  const file = await aFile();
  const made = await readOrMakeSecret(file);
  expect(made).toMatch(/^[0-9a-f]{64}$/);
  expect(await readOrMakeSecret(file)).toBe(made);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(makeSecret()).not.toBe(makeSecret());
});

test('takes a secret that a user wrote, without the line break at its end', async () => {
  const file = await aFile();
  await writeFile(file, 'opensesame\n');
  expect(await readKeptSecret(file)).toBe('opensesame');
  expect(await readOrMakeSecret(file)).toBe('opensesame');
});

test.each(['', '\n'])('takes the file content %j for no secret', async (text) => {
  const file = await aFile();
  await writeFile(file, text);
  expect(await readKeptSecret(file)).toBeUndefined();
});

test('writes no secret that could not be put into effect', async () => {
  const file = await aFile();
  const seen: string[] = [];
  const refuse = async (secret: string) => {
    seen.push(secret);
    throw new Error('The server is away.');
  };
  await expect(readOrMakeSecret(file, refuse)).rejects.toThrow('The server is away.');
  expect(await readKeptSecret(file)).toBeUndefined();
  const held = await readOrMakeSecret(file, async (secret) => void seen.push(secret));
  expect(seen[1]).toBe(held);
  expect(seen[0]).not.toBe(held);
  // A secret that is in the file is in effect already.
  await readOrMakeSecret(file, refuse);
  expect(seen).toHaveLength(2);
});

test('puts a new secret in the place of the old one', async () => {
  const file = await aFile();
  await keepSecret(file, 'old');
  await keepSecret(file, 'new');
  expect(await readFile(file, 'utf8')).toBe('new\n');
});

test('says why a secret cannot be read', async () => {
  await expect(readKeptSecret(await makeTempFolder())).rejects.toMatchObject({ code: 'EISDIR' });
});

test('rejects a folder that is missing, and makes no file', async () => {
  const root = await makeTempFolder();
  const file = join(root, 'missing', 'password');
  await expect(keepSecret(file, 'mine')).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(readOrMakeSecret(file)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await readKeptSecret(file)).toBeUndefined();
  expect(await readdir(root)).toEqual([]);
});

test('keeps the old secret where the new one cannot be written', async () => {
  const file = await aFile();
  await keepSecret(file, 'old');
  await mkdir(`${file}.new`);
  await expect(keepSecret(file, 'new')).rejects.toMatchObject({ code: 'EISDIR' });
  expect(await readKeptSecret(file)).toBe('old');
});

test('leaves no other file beside the secret', async () => {
  const file = await aFile();
  await readOrMakeSecret(file);
  await keepSecret(file, 'another');
  expect(await readdir(dirname(file))).toEqual(['password']);
});
