import { describe, expect, it } from 'vitest';
import { createHeadroom } from '../../src/redis/headroom.ts';

const MAX_BYTES = 100_000_000;
const used = (share: number) => ({ usedBytes: share * MAX_BYTES, maxBytes: MAX_BYTES });

describe('createHeadroom', () => {
  it('is full from 90 % on, and has room again below 85 %', () => {
    const headroom = createHeadroom();
    const full = (share: number) => headroom.update(used(share)) !== undefined;
    expect([0.5, 0.899].map(full)).toEqual([false, false]);
    expect([0.9, 0.95, 0.87, 0.85].map(full)).toEqual([true, true, true, true]);
    expect([0.849, 0.87].map(full)).toEqual([false, false]);
    expect(full(1.2)).toBe(true);
  });

  it('says what to do, and the same at every check', () => {
    const headroom = createHeadroom();
    const [first, second] = [0.9, 0.95].map((share) => headroom.update(used(share))?.message);
    expect(first).toContain('maxmemory (95 MiB)');
    expect(first).toContain('CONFIG SET maxmemory');
    expect(second).toBe(first);
  });

  it('asks for a check when a quarter of the room may be gone', () => {
    const headroom = createHeadroom();
    headroom.update(used(0.5));
    expect([9_000_000, 900_000, 200_000].map((bytes) => headroom.countBytes(bytes))).toEqual([false, false, true]);
    headroom.update(used(0.6));
    expect(headroom.countBytes(7_000_000)).toBe(false);
  });

  it('is never full, and asks for nothing, where there is no limit', () => {
    const headroom = createHeadroom();
    expect(headroom.update({ usedBytes: 1e15, maxBytes: Infinity })).toBeUndefined();
    expect(headroom.countBytes(1e15)).toBe(false);
  });
});
