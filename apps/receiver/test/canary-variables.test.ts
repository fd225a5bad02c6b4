import { expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';

const read = (value: string | undefined) =>
  readConfig({ ELEVENLABS_WEBHOOK_SECRET: 'wsec_0123456789abcdef0123456789abcdef', CANARY_INTERVAL_SECONDS: value });

it.each([
  [undefined, 60],
  ['', 60],
  ['0', 0],
  ['1', 1],
  ['86400', 86_400],
])('reads %j as %i seconds', (value, seconds) => {
  expect(read(value)).toMatchObject({ ok: true, config: { CANARY_INTERVAL_SECONDS: seconds } });
});

it.each(['86401', '-1', '1.5', '60s', '0x10'])('refuses %j', (value) => {
  expect(read(value)).toMatchObject({
    ok: false,
    faults: expect.stringContaining('CANARY_INTERVAL_SECONDS must be a whole number'),
  });
});
