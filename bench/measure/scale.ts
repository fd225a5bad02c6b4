import type { BenchContext } from '../bench-context.ts';
import { LANDLINE } from '../contenders.ts';
import type { LoadResult } from '../load/load.ts';
import { formatNumber } from '../report/format-number.ts';
import type { Results } from '../results.ts';
import { CONNECTIONS, fullLoad, onStage, type Stage } from './stage.ts';

/**
 * scale: end to end with several receivers and as many workers on the same cores. Each receiver has as many connections as the one has, as with
 * more senders; or all of them together have, as with the same senders: then the groups of each are as much smaller.
 */
export async function scale(bench: BenchContext, results: Results): Promise<void> {
  const { counts, spread } = bench.plan.scale;
  const loads = spread.flatMap((to) => counts.map((count) => ({ count, to })));
  for (let round = 1; round <= bench.plan.rounds; round++) {
    for (const load of loads) {
      // oxlint-disable-next-line no-await-in-loop -- one at a time: they share the machine
      const rate = await onStage(bench, { contender: LANDLINE, receivers: load.count }, (stage) =>
        measure(bench, stage, load),
      );
      const variant = `${CONNECTIONS} connections to ${load.to}, ${nameOf(load.count)}`;
      results.add({ measure: 'scale', variant, contender: 'landline', metric: 'events', unit: '/s' }, rate);
      bench.log(`scale, round ${round}: ${variant} ${formatNumber(rate)}/s`);
    }
  }
}

function nameOf(count: number): string {
  return count === 1 ? '1 receiver and worker' : `${count} receivers and workers`;
}

interface ScaleLoad {
  /** Receivers, and as many workers. */
  count: number;
  /** Who has the connections: each receiver, or all together. */
  to: 'each' | 'all';
}

async function measure(bench: BenchContext, stage: Stage, { count, to }: ScaleLoad): Promise<number> {
  await stage.startWorkers(count);
  const warm: LoadResult[] = [];
  // All receivers are warm when each of them has had its share.
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  for (let i = 0; i < count; i++) warm.push(await stage.warmUp());
  await stage.untilDrained();
  const connections = to === 'each' ? CONNECTIONS * count : CONNECTIONS;
  const load = await (await stage.prepare({ ...fullLoad(bench, LANDLINE), connections })).run();
  await stage.untilDrained();
  await stage.check([...warm, load]);
  return stage.rateOf(load);
}
