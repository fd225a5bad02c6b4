import { expect, it } from 'vitest';
import { createLoginLimit } from '../../src/login/login-limit.ts';

function aLimit() {
  let now = 1_000_000;
  const limit = createLoginLimit(() => now);
  const fail = (address: string, times: number) => Array.from({ length: times }, () => limit.fail(address));
  return { ...limit, failTimes: fail, pass: (ms: number) => (now += ms) };
}

it('lets an address fail ten times in a minute, and hears it again when the minute is over', () => {
  const limit = aLimit();
  expect(limit.failTimes('192.0.2.1', 9)).toEqual(Array(9).fill(false));
  expect(limit.waitMs('192.0.2.1')).toBe(0);
  limit.pass(20_000);
  expect(limit.failTimes('192.0.2.1', 1)).toEqual([true]);
  expect(limit.waitMs('192.0.2.1')).toBe(40_000);
  expect(limit.waitMs('192.0.2.2')).toBe(0);
  limit.pass(39_999);
  expect(limit.waitMs('192.0.2.1')).toBe(1);
  limit.pass(1);
  expect(limit.waitMs('192.0.2.1')).toBe(0);
  expect(limit.failTimes('192.0.2.1', 9)).toEqual(Array(9).fill(false));
});

it.each([
  ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
  ['2001:db8::1', '2001:db8:0:0:9:9:9:9', true],
  ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
  ['::1', '::2', true],
])('takes %s and %s for one holder: %s', (one, other, isOne) => {
  const limit = aLimit();
  limit.failTimes(one, 10);
  expect(limit.waitMs(other) > 0).toBe(isOne);
});

it('forgets who failed first when too many addresses fail', () => {
  const limit = aLimit();
  limit.failTimes('192.0.2.1', 10);
  for (let i = 0; i < 9_999; i += 1) limit.fail(`10.1.${i >> 8}.${i & 255}`);
  expect(limit.waitMs('192.0.2.1')).toBeGreaterThan(0);
  limit.fail('10.2.0.0');
  expect(limit.waitMs('192.0.2.1')).toBe(0);
});
