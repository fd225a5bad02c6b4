import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dashboardVariables } from '../apps/dashboard/src/config.ts';
import { initiationVariables } from '../apps/initiation/src/config.ts';
import { monitorVariables } from '../apps/monitor/src/config.ts';
import { receiverVariables } from '../apps/receiver/src/config.ts';
import { workerVariables } from '../apps/worker/src/config.ts';

/** A variable as .env.example shows it. */
interface Shown {
  name: string;
  value: string;
  /** Whether the line begins with `#`: its value is the default, and unset means the same. */
  commented: boolean;
  /** Whether a comment stands above it. */
  explained: boolean;
}

const lines = readFileSync(new URL('../.env.example', import.meta.url), 'utf8').split('\n');
const shown = lines.flatMap((line, i): Shown[] => {
  const [, hash = '', name = '', value = ''] = /^(# )?([A-Z_]+)=(.*)$/.exec(line) ?? [];
  const above = lines[i - 1] ?? '';
  const explained = above.startsWith('#') || lines[i - 2]?.startsWith('#') === true;
  return name ? [{ name, value, commented: hash !== '', explained }] : [];
});
const shapes = [receiverVariables, workerVariables, dashboardVariables, initiationVariables, monitorVariables].map(
  ({ shape }) => shape,
);

test('.env.example names exactly the variables that the processes read', () => {
  // The commands read the first, only Compose reads the second, and the library for S3 reads its own.
  const aws = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_REGION'];
  const others = ['ADMIN_DATABASE_URL', 'POSTGRES_PASSWORD', ...aws];
  const read = new Set([...shapes.flatMap((shape) => Object.keys(shape)), ...others]);
  expect(new Set(shown.map(({ name }) => name))).toEqual(read);
  expect(shown).toHaveLength(read.size);
  expect(shown.filter(({ explained }) => !explained)).toEqual([]);
});

test.each(shown.filter(({ commented, value }) => commented && value !== ''))(
  '$name: the default that is shown is the one that is used',
  ({ name, value }) => {
    const schemas = shapes.flatMap((shape) => Object.entries(shape)).filter(([key]) => key === name);
    const defaults = schemas.map(([, schema]) => schema.parse(undefined));
    // The dashboard, the initiation and the monitor listen on loopback by default; .env.example shows the receiver's default.
    const expected = name === 'HOST' ? defaults.filter((used) => used !== '127.0.0.1') : defaults;
    expect(expected.length).toBeGreaterThan(0);
    for (const [i, used] of expected.entries()) expect(used).toEqual(schemas[i]?.[1].parse(value));
  },
);

test('only variables that the user must choose have no default', () => {
  const required = shapes.flatMap((shape) =>
    Object.entries(shape).flatMap(([name, schema]) => (schema.safeParse(undefined).success ? [] : [name])),
  );
  expect(new Set(required)).toEqual(new Set(['ELEVENLABS_WEBHOOK_SECRET', 'DATABASE_URL', 'DASHBOARD_PASSWORD']));
});

test('a process takes each of its secrets from a file as well', () => {
  const marked = shapes.flatMap((shape) =>
    Object.entries(shape).flatMap(([name, schema]) => (schema.meta()?.['secret'] === true ? [name] : [])),
  );
  expect(new Set(marked)).toEqual(
    new Set([
      'ELEVENLABS_WEBHOOK_SECRET',
      'REDIS_URL',
      'REDIS_CA',
      'DATABASE_URL',
      'DIRECT_URL',
      'READER_DATABASE_URL',
      'DASHBOARD_PASSWORD',
      'API_TOKEN',
      'INITIATION_TOKEN',
      'ELEVENLABS_API_KEY',
    ]),
  );
});
