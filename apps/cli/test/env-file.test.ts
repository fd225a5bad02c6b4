import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { makeEnvFile, readEnvFile } from '../src/start/env-file.ts';

const EXAMPLE = new URL('../../../.env.example', import.meta.url);

async function makeRoot(): Promise<string> {
  const root = await makeTempFolder();
  await copyFile(EXAMPLE, join(root, '.env.example'));
  return root;
}

test('makes .env with a random secret, password and tokens that only its owner reads', async () => {
  const roots = [await makeRoot(), await makeRoot()];
  const made = await Promise.all(roots.map((root) => makeEnvFile(root)));
  expect(made).toEqual([true, true]);
  const [first, second] = await Promise.all(roots.map((root) => readEnvFile(root, {})));
  expect(first?.['ELEVENLABS_WEBHOOK_SECRET']).toMatch(/^wsec_[0-9a-f]{64}$/);
  expect(first?.['DASHBOARD_PASSWORD']).toMatch(/^[\w-]{24}$/);
  expect(second?.['ELEVENLABS_WEBHOOK_SECRET']).not.toBe(first?.['ELEVENLABS_WEBHOOK_SECRET']);
  expect(second?.['DASHBOARD_PASSWORD']).not.toBe(first?.['DASHBOARD_PASSWORD']);
  const tokens = [first, second].flatMap((env) => [env?.['INITIATION_TOKEN'], env?.['API_TOKEN']]);
  for (const token of tokens) expect(token).toMatch(/^[0-9a-f]{48}$/);
  expect(new Set(tokens).size).toBe(4);
  const secrets = ['API_TOKEN', 'DASHBOARD_PASSWORD', 'ELEVENLABS_WEBHOOK_SECRET', 'INITIATION_TOKEN'];
  expect(Object.keys(first ?? {}).toSorted()).toEqual(secrets);
  for (const root of roots) expect((await stat(join(root, '.env'))).mode & 0o777).toBe(0o600);
});

test('never touches an .env that is there', async () => {
  const root = await makeRoot();
  await writeFile(join(root, '.env'), 'PORT=4000\n');
  expect(await makeEnvFile(root)).toBe(false);
  expect(await readFile(join(root, '.env'), 'utf8')).toBe('PORT=4000\n');
});

test.each(['.env', '.env.example'])('says that %s is a folder', async (name) => {
  const root = await makeTempFolder();
  await mkdir(join(root, name));
  const reading = name === '.env' ? readEnvFile(root, {}) : makeEnvFile(root);
  await expect(reading).rejects.toMatchObject({ code: 'EISDIR' });
});

test('makes no .env without .env.example', async () => {
  const root = await makeTempFolder();
  await expect(makeEnvFile(root)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await readdir(root)).toEqual([]);
});

test('reads no .env as the environment alone', async () => {
  expect(await readEnvFile(await makeTempFolder(), { PORT: '4000' })).toEqual({ PORT: '4000' });
});

test('the environment wins over .env', async () => {
  const root = await makeRoot();
  await writeFile(join(root, '.env'), 'PORT=4000\nLOG_LEVEL=warn\n');
  expect(await readEnvFile(root, { PORT: '5000' })).toEqual({ PORT: '5000', LOG_LEVEL: 'warn' });
});

test.each([
  ['a value', { TOKEN: 'a' }, { TOKEN: 'a' }],
  ['a file', { TOKEN_FILE: '/a' }, { TOKEN_FILE: '/a' }],
  ['set to nothing', { TOKEN: '' }, { TOKEN: '' }],
  ['no file', { TOKEN_FILE: '' }, { TOKEN: 'b', TOKEN_FILE: '' }],
])('%s in the environment wins over either form in .env', async (_, env, wanted) => {
  const root = await makeRoot();
  await writeFile(join(root, '.env'), 'TOKEN=b\n');
  expect(await readEnvFile(root, env)).toEqual(wanted);
  await writeFile(join(root, '.env'), 'TOKEN_FILE=/b\n');
  const file = 'TOKEN_FILE' in env && env.TOKEN_FILE === '' ? { TOKEN_FILE: '' } : wanted;
  expect(await readEnvFile(root, env)).toEqual(file);
});

test('both forms in .env stay, so that the reader of the secret can refuse them', async () => {
  const root = await makeRoot();
  await writeFile(join(root, '.env'), 'TOKEN=b\nTOKEN_FILE=/b\n');
  expect(await readEnvFile(root, {})).toEqual({ TOKEN: 'b', TOKEN_FILE: '/b' });
});
