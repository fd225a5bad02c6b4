import { expect, it } from 'vitest';
import { canaryVariables } from '../src/variables.ts';

const { CANARY_INTERVAL_SECONDS: schema } = canaryVariables;

it.each([
  [undefined, 60],
  ['', 60],
  ['0', 0],
  ['1', 1],
  ['86400', 86_400],
])('reads %j as %i seconds', (value, seconds) => {
  expect(schema.parse(value)).toBe(seconds);
});

it.each(['86401', '-1', '1.5', '60s', '0x10'])('refuses %j', (value) => {
  expect(schema.safeParse(value).error?.issues[0]?.message).toContain('CANARY_INTERVAL_SECONDS must be a whole number');
});
