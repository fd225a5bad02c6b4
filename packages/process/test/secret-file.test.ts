import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startProcess } from '@landline/local-servers';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { readSecret } from '../src/secret-file.ts';
import { readVariables } from '../src/variables.ts';

async function fileOf(content: string | Uint8Array): Promise<string> {
  const path = join(await makeTempFolder(), 'token');
  await writeFile(path, content);
  return path;
}

test.each([
  ['as it is', 'hunter2', 'hunter2'],
  ['without the line break at its end', 'hunter2\n', 'hunter2'],
  ['without several, of Windows', 'hunter2\r\n\r\n', 'hunter2'],
  ['without a byte order mark', '\ufeffhunter2', 'hunter2'],
  ['with its spaces, and a line break inside', ' hunter2\nhunter3 \n', ' hunter2\nhunter3 '],
  ['in UTF-8', 'Schlüssel', 'Schlüssel'],
])('reads a file %s', async (_, content, value) => {
  expect(readSecret('TOKEN', { TOKEN_FILE: await fileOf(content) })).toBe(value);
});

test('reads a pipe, as a shell makes of <(…)', async () => {
  const path = join(await makeTempFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  // Another process: this one waits for the writer while it reads.
  const args = ['-c', 'echo hunter2 > "$1"', 'sh', path];
  const { exited } = await startProcess({ command: 'sh', args, env: {} });
  expect(readSecret('TOKEN', { TOKEN_FILE: path })).toBe('hunter2');
  await exited;
});

test('an empty variable counts as not set', async () => {
  expect(readSecret('TOKEN', {})).toBeUndefined();
  expect(readSecret('TOKEN', { TOKEN: '', TOKEN_FILE: '' })).toBeUndefined();
  expect(readSecret('TOKEN', { TOKEN: 'hunter2', TOKEN_FILE: '' })).toBe('hunter2');
  expect(readSecret('TOKEN', { TOKEN: '', TOKEN_FILE: await fileOf('hunter2') })).toBe('hunter2');
});

test('names both variables when both are set', async () => {
  const env = { TOKEN: 'hunter2', TOKEN_FILE: await fileOf('hunter3') };
  expect(() => readSecret('TOKEN', env)).toThrow(/^TOKEN and TOKEN_FILE are both set/);
});

test.each([
  ['that is missing', async () => join(await makeTempFolder(), 'nothing'), 'ENOENT'],
  ['that is a folder', () => makeTempFolder(), 'EISDIR'],
  ['that is empty', () => fileOf(''), 'is empty'],
  ['of a line break alone', () => fileOf('\n'), 'is empty'],
  ['of more than 64 KiB', () => fileOf(`hunter2${'x'.repeat(65_530)}`), 'more than 65536 bytes'],
  ['without an end', () => Promise.resolve('/dev/zero'), 'more than 65536 bytes'],
  ['of bytes that are no text', () => fileOf(Uint8Array.of(0x68, 0x75, 0x6e, 0x74, 0xff)), 'no text in UTF-8'],
  ['with a NUL byte', () => fileOf('hunter2\0'), 'NUL'],
])('refuses a file %s, names it and reveals nothing of its content', async (_, path, reason) => {
  const file = await path();
  const read = (): unknown => readSecret('TOKEN', { TOKEN_FILE: file });
  expect(read).toThrow(expect.objectContaining({ code: 'secret_invalid', message: expect.stringContaining(reason) }));
  expect(read).toThrow(`TOKEN_FILE: `);
  expect(read).toThrow(file);
  expect(read).not.toThrow(/hunt/);
});

const schema = z.object({
  TOKEN: z.string({ error: 'TOKEN is not set' }).min(5, 'TOKEN is too short').meta({ secret: true }),
  KEY: z.string().default('default').meta({ secret: true, cleaned: true }),
  SIZE: z.string().default('10'),
});

test('a process takes any of its secrets from a file, and nothing else', async () => {
  const [token, key] = [await fileOf('hunter2\n'), await fileOf(' key ')];
  expect(readVariables(schema, { TOKEN_FILE: token, KEY_FILE: key, SIZE_FILE: token })).toEqual({
    ok: true,
    config: { TOKEN: 'hunter2', KEY: ' key ', SIZE: '10' },
  });
});

test('every fault of a file is reported beside the others, and not that the variable is missing', async () => {
  const folder = await makeTempFolder();
  await mkdir(join(folder, 'key'));
  const read = readVariables(schema, { TOKEN_FILE: join(folder, 'token'), KEY_FILE: join(folder, 'key') });
  const faults = read.ok ? '' : read.faults;
  expect(faults).toContain(`TOKEN_FILE: cannot read ${folder}/token (ENOENT)`);
  expect(faults).toContain(`KEY_FILE: cannot read ${folder}/key (EISDIR)`);
  expect(faults).not.toContain('TOKEN is not set');
});

test('the schema judges what a file holds', async () => {
  const read = readVariables(schema, { TOKEN_FILE: await fileOf('hush') });
  expect(read).toEqual({ ok: false, faults: expect.stringContaining('TOKEN is too short') });
});

test.each([
  ['"hunter2"', 'TOKEN has quotation marks around it'],
  ['“hunter2”', 'TOKEN has quotation marks around it'],
  ['hunter2\u200b', 'U+200B'],
  ['\u00a0hunter2', 'U+00A0'],
  ['hunter2 ', 'U+0020'],
])('warns of %j, uses it as it is and does not reveal it', (value, warning) => {
  const read = readVariables(schema, { TOKEN: value });
  expect(read).toMatchObject({ ok: true, config: { TOKEN: value }, warnings: [expect.stringContaining(warning)] });
  expect(JSON.stringify(read.ok && read.warnings)).not.toContain('hunter2');
});

test('warns of nothing in a secret that its schema cleans, or that is as it should be', () => {
  expect(readVariables(schema, { TOKEN: 'hunt "er" 2', KEY: '"key"' })).not.toHaveProperty('warnings');
});

test('says what is odd about a secret that is refused', () => {
  const read = readVariables(schema, { TOKEN: '"a"' });
  expect(read).toMatchObject({ ok: false, faults: expect.stringMatching(/too short[^]*quotation marks around it/) });
});
