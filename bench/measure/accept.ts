import type { BenchContext } from '../bench-context.ts';
import type { Contender } from '../contender.ts';
import { CONTENDERS, HTTP_LIMIT, takingPart, WITH_JOURNAL } from '../contenders.ts';
import type { EventKind } from '../load/signed-events.ts';
import { formatNumber } from '../report/format-number.ts';
import type { Results } from '../results.ts';
import { isFast, onStage } from './stage.ts';

interface Variant {
  name: string;
  kind: EventKind;
  connections: number;
  /** The variant in which the other contenders take part. */
  isCommon: boolean;
}

/** The most events for each second, by kind. The worker applies them afterwards, for the check. The clock stops at the last event. */
const PER_SECOND: Readonly<Record<EventKind, number>> = {
  live: 20_000,
  live1000: 0,
  messages1000: 0,
  '10 KB': 3_000,
  '100 KB': 300,
  transcript30: 0,
};

/** accept: measures requests a second that are verified, and on disk before the answer. It is a closed loop, without a worker. */
export async function accept(bench: BenchContext, results: Results): Promise<void> {
  for (let round = 1; round <= bench.plan.rounds; round++) {
    for (const variant of variantsOf(bench)) {
      for (const contender of contendersOf(bench, variant)) {
        // oxlint-disable-next-line no-await-in-loop -- one at a time: they share the machine
        const rate = await measure(bench, contender, variant);
        const name = { measure: 'accept', variant: variant.name, contender: contender.name };
        results.add({ ...name, metric: 'events', unit: '/s' }, rate);
        bench.log(`accept, ${variant.name}, round ${round}: ${contender.name} ${formatNumber(rate)}/s`);
      }
    }
  }
}

function variantsOf({ plan }: BenchContext): Variant[] {
  return plan.acceptConnections.flatMap((connections, i) =>
    plan.acceptKinds.map((kind) => ({
      name: `${connections} connections, ${kind === 'live' ? '0.3 KB' : kind}`,
      kind,
      connections,
      isCommon: i === 0 && kind === 'live' && plan.othersIn.includes('accept'),
    })),
  );
}

function contendersOf({ plan }: BenchContext, { isCommon, kind }: Variant): Contender[] {
  const own = CONTENDERS.filter(({ name }) => isCommon || name === 'landline');
  return [HTTP_LIMIT, ...takingPart(plan, [...own, ...(kind === 'live' ? [WITH_JOURNAL] : [])])];
}

async function measure(bench: BenchContext, contender: Contender, { kind, connections }: Variant): Promise<number> {
  const { acceptSeconds: seconds, eventsOfOthers } = bench.plan;
  const count = isFast(contender) ? Math.ceil(PER_SECOND[kind] * seconds) : eventsOfOthers;
  return onStage(bench, { contender }, async (stage) => {
    const warm = await stage.warmUp();
    const load = await stage.prepare({ kind, count, connections, seconds });
    const result = await load.run();
    if (contender !== HTTP_LIMIT) {
      await stage.startWorkers(1);
      await stage.untilDrained();
      await stage.check([warm, result]);
    }
    return result.accepted.ids.length / result.seconds;
  });
}
