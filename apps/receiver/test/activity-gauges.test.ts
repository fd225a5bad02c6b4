import { expect, it } from 'vitest';
import { activityGauges } from '../src/activity-gauges.ts';

const intake = { status: () => 'away' as const, shardsAway: () => 2 };
const spool = {
  status: () => 'ready' as const,
  stats: () => ({ files: 3, bytes: 300, damagedFiles: 0, oldestAt: undefined, diskFreeBytes: undefined }),
};

it('tells the console what waits in this receiver, of a journal only where there is one', () => {
  const own = { redisUp: 0, redisShardsAway: 2, spoolUp: 1, spoolFiles: 3, spoolBytes: 300 };
  expect(activityGauges({ intake, journal: undefined, spool })()).toEqual(own);
  const stats = { bytes: 900, pendingRecords: 4, pendingBytes: 400, unheldPendingBytes: 0, diskFreeBytes: undefined };
  const journal = { status: () => 'ready' as const, stats: () => ({ status: 'ready' as const, ...stats }) };
  expect(activityGauges({ intake, journal, spool })()).toEqual({
    ...own,
    journalUp: 1,
    journalPendingRecords: 4,
    journalPendingBytes: 400,
  });
});
