import type { BenchContext } from '../bench-context.ts';
import type { Contender } from '../contender.ts';
import { CONTENDERS, takingPart, WITH_JOURNAL } from '../contenders.ts';
import { formatNumber } from '../report/format-number.ts';
import type { Results } from '../results.ts';
import { isFast, onStage } from './stage.ts';

/** The number of connections. It leaves room for late answers; beyond that an open loop waits for a free connection. */
const CONNECTIONS = 256;
/** A contender has not kept up when a greater share of its requests than this was never sent. Its figures then say nothing. */
const UNSENT_LIMIT = 0.01;
/** A contender has not kept up when the last request was sent late by a greater share of the time than this. */
const BEHIND_LIMIT = 0.1;
/** The least number of latencies for a p99.9. */
const LEAST_FOR_P999 = 2000;
/** The rate for direct, in requests per second; it keeps up with little more. Where it does not, its punctual requests count: that flatters it. */
const DIRECT_RATE = 200;
/** The shortest load for the other contenders, in seconds, however few events it has. */
const SHORTEST_SECONDS = 0.5;

/**
 * ack-latency: measures how long a sender waits for the 200 at fixed rates, while the worker runs. It is an open loop: the clock of a request
 * starts when the request is due. So a stall counts for every request that had to wait (no coordinated omission).
 */
export async function ackLatency(bench: BenchContext, results: Results): Promise<void> {
  const isIn = ({ name }: Contender) => name === 'landline' || bench.plan.othersIn.includes('ack-latency');
  const contenders = takingPart(bench.plan, [...CONTENDERS.filter(isIn), WITH_JOURNAL]);
  const left = new Map(contenders.map((contender) => [contender, new Set(ratesOf(bench, contender))]));
  for (let round = 1; round <= bench.plan.rounds; round++) {
    for (const [contender, rates] of left) {
      for (const rate of rates) {
        // oxlint-disable-next-line no-await-in-loop -- one at a time: they share the machine
        if (await measure(bench, results, { contender, rate, round })) continue;
        bench.log(`ack latency: ${contender.name} does not keep up with ${formatNumber(rate)}/s`);
        for (const higher of rates) if (higher >= rate) rates.delete(higher);
      }
    }
  }
}

function ratesOf({ plan }: BenchContext, { name }: Contender): number[] {
  return name === 'direct' ? [DIRECT_RATE, ...plan.ackRates] : [...plan.ackRates];
}

interface Turn {
  contender: Contender;
  rate: number;
  round: number;
}

/** Measures once. Answers false where the contender cannot keep up with the rate. */
async function measure(bench: BenchContext, results: Results, { contender, rate, round }: Turn): Promise<boolean> {
  const { ackSeconds, eventsOfOthers } = bench.plan;
  const enough = Math.max(SHORTEST_SECONDS, eventsOfOthers / rate);
  const seconds = isFast(contender) ? ackSeconds : Math.min(ackSeconds, enough);
  return onStage(bench, { contender }, async (stage) => {
    await stage.startWorkers(1);
    const warm = await stage.warmUp();
    await stage.untilDrained();
    const count = seconds * rate;
    const load = await stage.prepare({ kind: 'live', connections: CONNECTIONS, count, seconds, ratePerSecond: rate });
    const result = await load.run();
    await stage.untilDrained();
    await stage.check([warm, result]);
    const isBehind = result.behindMs > BEHIND_LIMIT * seconds * 1000;
    const isLeftBehind = isBehind || result.unsent > UNSENT_LIMIT * count;
    if (isLeftBehind && rate !== DIRECT_RATE) return false;
    const { p50, p99, p999 } = result.latencyMs;
    const name = { measure: 'ack-latency', variant: `${formatNumber(rate)}/s`, contender: contender.name, unit: 'ms' };
    results.add({ ...name, metric: 'p50' }, p50);
    results.add({ ...name, metric: 'p99' }, p99);
    if (count >= LEAST_FOR_P999) results.add({ ...name, metric: 'p99.9' }, p999);
    bench.log(`ack latency, ${formatNumber(rate)}/s, round ${round}: ${contender.name} p99 ${p99.toFixed(1)} ms`);
    return true;
  });
}
