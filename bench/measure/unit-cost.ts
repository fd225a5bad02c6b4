import { withRedis } from '../../test/support/with-redis.ts';
import type { BenchContext } from '../bench-context.ts';
import { signedEvents, type EventKind } from '../load/signed-events.ts';
import { formatNumber } from '../report/format-number.ts';
import type { Results } from '../results.ts';
import { VARIANTS, variantOf } from '../unit-variants.ts';
import type { Account } from './account.ts';
import { costAtFullLoad, costAtLowLoad, walAfterCheckpoint } from './event-cost.ts';
import { recordingCost } from './recording-cost.ts';

/**
 * unit-cost: what one event takes of each part, in CPU, memory and bytes on disk. docs/scale.md reckons with these figures. From then on Redis
 * does not rewrite its append-only file by itself.
 */
export async function unitCost(bench: BenchContext, results: Results): Promise<void> {
  const { plan, log, services } = bench;
  const add = addTo(results);
  // A file that is rewritten meanwhile gets smaller, and says nothing of what was appended.
  await withRedis(services.redis.url, (redis) => redis.config('SET', 'auto-aof-rewrite-percentage', '0'));
  // oxlint-disable no-await-in-loop -- one at a time: they share the machine
  for (let round = 1; round <= plan.rounds; round++) {
    for (const processes of plan.unitCost.processes) {
      const cost = await costAtFullLoad(bench, { kind: 'live1000', count: plan.unitCost.live, processes });
      add(variantOf(processes), cost);
      log(`unit-cost, round ${round}: ${variantOf(processes)} ${formatNumber(sumOf(cost.cpuUs))} µs`);
    }
    add(
      VARIANTS.transcript,
      await costAtFullLoad(bench, { kind: 'transcript30', count: plan.unitCost.transcripts, processes: 1 }),
    );
    const { event, idleSecond } = await costAtLowLoad(bench);
    add(VARIANTS.low, event);
    add(VARIANTS.idle, { cpuUs: idleSecond.cpuUs });
    const recording = await recordingCost(bench);
    add(VARIANTS.recording, { cpuUs: { receiver: recording.receiverUs }, bytes: recording.bytes });
    log(`unit-cost, round ${round}: ${VARIANTS.low} ${formatNumber(sumOf(event.cpuUs))} µs`);
  }
  // oxlint-enable no-await-in-loop
  add(VARIANTS.low, { cpuUs: {}, bytes: { 'WAL after a checkpoint': await walAfterCheckpoint(bench) } });
  add(VARIANTS.live, { cpuUs: {}, bytes: { body: bodyBytes('live1000') } });
  add(VARIANTS.transcript, { cpuUs: {}, bytes: { body: bodyBytes('transcript30') } });
}

/** So many bodies are measured. */
const BODIES = 200;

function bodyBytes(kind: EventKind): number {
  const bodies = [...signedEvents(kind, BODIES, 'size')];
  return bodies.reduce((sum, { body }) => sum + body.length, 0) / bodies.length;
}

/** What something takes, by the names of the parts. */
interface Cost {
  cpuUs: Partial<Account['cpuUs']>;
  bytes?: Readonly<Record<string, number>>;
}

function addTo(results: Results): (variant: string, cost: Cost) => void {
  return (variant, { cpuUs, bytes = {} }) => {
    const name = { measure: 'unit-cost', variant, contender: 'landline-journal' };
    for (const [part, value] of Object.entries(cpuUs))
      results.add({ ...name, metric: `CPU of ${part}`, unit: 'µs' }, value);
    for (const [metric, value] of Object.entries(bytes)) results.add({ ...name, metric, unit: 'bytes' }, value);
  };
}

function sumOf(values: Readonly<Record<string, number>>): number {
  return Object.values(values).reduce((sum, value) => sum + value, 0);
}
