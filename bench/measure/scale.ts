import type { BenchContext } from '../bench-context.ts';
import { LANDLINE } from '../contenders.ts';
import type { LoadResult } from '../load/load.ts';
import { formatNumber } from '../report/format-number.ts';
import type { Results } from '../results.ts';
import { fullLoad, onStage, type Stage } from './stage.ts';

/** scale: end to end with several receivers and as many workers on the same cores. */
export async function scale(bench: BenchContext, results: Results): Promise<void> {
  for (let round = 1; round <= bench.plan.rounds; round++) {
    for (const count of bench.plan.scale) {
      // oxlint-disable-next-line no-await-in-loop -- one at a time: they share the machine
      const rate = await onStage(bench, { contender: LANDLINE, receivers: count }, (stage) =>
        measure(bench, stage, count),
      );
      const variant = count === 1 ? '1 receiver and worker' : `${count} receivers and workers`;
      results.add({ measure: 'scale', variant, contender: 'landline', metric: 'events', unit: '/s' }, rate);
      bench.log(`scale, round ${round}: ${variant} ${formatNumber(rate)}/s`);
    }
  }
}

async function measure(bench: BenchContext, stage: Stage, count: number): Promise<number> {
  await stage.startWorkers(count);
  const warm: LoadResult[] = [];
  // All receivers are warm when each of them has had its share.
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  for (let i = 0; i < count; i++) warm.push(await stage.warmUp());
  await stage.untilDrained();
  const load = await (await stage.prepare(fullLoad(bench, LANDLINE))).run();
  await stage.untilDrained();
  await stage.check([...warm, load]);
  return stage.rateOf(load);
}
