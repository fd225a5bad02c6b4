import { expect, it } from 'vitest';
import { createTokenBucket } from '../src/token-bucket.ts';

it('permits a burst, then so many a second, and the burst again after a rest', () => {
  let now = 0;
  const bucket = createTokenBucket({ burst: 1000, perSecond: 5 }, () => now);
  const taken = () => {
    let count = 0;
    for (let i = 0; i < 5000; i++) count += Number(bucket.take());
    return count;
  };
  expect(taken()).toBe(1000);
  expect(taken()).toBe(0);
  now += 1000;
  expect(taken()).toBe(5);
  now += 150;
  expect(taken()).toBe(0);
  now += 50;
  expect(taken()).toBe(1);
  now += 3_600_000;
  expect(taken()).toBe(1000);
});
