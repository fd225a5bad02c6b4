import type { BenchContext } from '../bench-context.ts';
import type { LoadResult } from '../load/load.ts';
import { formatNumber } from '../report/format-number.ts';
import type { Results } from '../results.ts';
import { commitsSince } from './commits.ts';
import { onStage, openStage } from './stage.ts';

const CONNECTIONS = 64;
const MOST_PER_SECOND = 25_000;
const DRAIN_LIMIT_MS = 180_000;

/** scale: end to end with several receivers and as many workers on the same cores. */
export async function scale(bench: BenchContext, results: Results): Promise<void> {
  const { plan } = bench;
  const landline = bench.contenders.find(({ name }) => name === 'landline');
  if (!landline) return;
  for (let round = 1; round <= plan.rounds; round++) {
    for (const count of plan.scale) {
      // oxlint-disable-next-line no-await-in-loop -- one at a time: they share the machine
      const rate = await onStage(openStage(bench, landline, count), async (stage) => {
        await stage.startWorkers(count);
        const warm: LoadResult[] = [];
        // Together they are warm when each has had its share.
        // oxlint-disable-next-line no-await-in-loop
        for (let i = 0; i < count; i++) warm.push(await stage.warmUp());
        await stage.untilDrained(DRAIN_LIMIT_MS);
        const seconds = plan.endToEndSeconds;
        const events = { kind: 'live', connections: CONNECTIONS, count: seconds * MOST_PER_SECOND, seconds } as const;
        const load = await (await stage.prepare(events)).run();
        await stage.untilDrained(DRAIN_LIMIT_MS);
        await stage.check([...warm, load]);
        const commits = await commitsSince(stage.place.databaseUrl, { page: 0, at: load.startedAt });
        return (load.accepted.ids.length * 1000) / ((commits.at(-1)?.at ?? Number.NaN) - load.startedAt);
      });
      const variant = count === 1 ? '1 receiver and worker' : `${count} receivers and workers`;
      results.add({ measure: 'scale', variant, contender: 'landline', metric: 'events', unit: '/s' }, rate);
      bench.log(`scale, round ${round}: ${variant} ${formatNumber(rate)}/s`);
    }
  }
}
