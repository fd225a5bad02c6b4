import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { readConfig } from '../src/config.ts';

const DATABASE_URL = 'postgresql://someone:hunter2@db:5432/landline';

test('the defaults', () => {
  expect(readConfig({ DATABASE_URL })).toEqual({
    ok: true,
    config: {
      DATABASE_URL,
      READER_DATABASE_URL: '',
      REDIS_URL: 'redis://127.0.0.1:6379',
      INITIATION_PORT: 3003,
      HOST: '127.0.0.1',
      INITIATION_TOKEN: '',
      INITIATION_DEFAULTS: {},
      LOG_LEVEL: 'info',
    },
  });
});

test('the token may be in a file, and the defaults are variables by name', async () => {
  const file = join(await makeTempFolder(), 'token');
  await writeFile(file, 'sixteen letters!\n');
  const INITIATION_DEFAULTS = '{"first_name": "friend", "discount": 0.5, "vip": false}';
  expect(
    readConfig({ READER_DATABASE_URL: DATABASE_URL, INITIATION_TOKEN_FILE: file, INITIATION_DEFAULTS }),
  ).toMatchObject({
    config: {
      INITIATION_TOKEN: 'sixteen letters!',
      INITIATION_DEFAULTS: { first_name: 'friend', discount: 0.5, vip: false },
    },
  });
});

test.for<[what: string, env: Record<string, string>, fault: RegExp]>([
  ['no database', {}, /READER_DATABASE_URL is not set, nor is DATABASE_URL/],
  ['a database that is none', { READER_DATABASE_URL: 'mysql://x' }, /READER_DATABASE_URL must read postgresql:/],
  ['a short token', { DATABASE_URL, INITIATION_TOKEN: 'hunter2' }, /INITIATION_TOKEN must have 16 characters or more/],
  [
    'defaults that are no JSON',
    { DATABASE_URL, INITIATION_DEFAULTS: '{first_name}' },
    /INITIATION_DEFAULTS must be a JSON object/,
  ],
  [
    'defaults that are a list',
    { DATABASE_URL, INITIATION_DEFAULTS: '[]' },
    /INITIATION_DEFAULTS must be a JSON object/,
  ],
  [
    'nested defaults',
    { DATABASE_URL, INITIATION_DEFAULTS: '{"a": {"b": 1}}' },
    /INITIATION_DEFAULTS must be a JSON object/,
  ],
  [
    'null among the defaults',
    { DATABASE_URL, INITIATION_DEFAULTS: '{"a": null}' },
    /INITIATION_DEFAULTS must be a JSON object/,
  ],
  ['a port that is none', { DATABASE_URL, INITIATION_PORT: '3003a' }, /INITIATION_PORT must be/],
])('%s is refused with what to do, and without a secret', ([, env, fault]) => {
  const read = readConfig(env);
  expect(read).toMatchObject({ ok: false, faults: expect.stringMatching(fault) });
  expect(JSON.stringify(read)).not.toContain('hunter2');
});
