import type { BenchContext } from '../bench-context.ts';
import { LANDLINE } from '../contenders.ts';
import type { LoadResult } from '../load/load.ts';
import { formatNumber } from '../report/format-number.ts';
import type { Results } from '../results.ts';
import { HELD_CORES, makeShare, whyNoShares, type CpuShare } from './cpu-share.ts';
import { CONNECTIONS, onStage, type Stage } from './stage.ts';

/** The most events a second of one held receiver: it takes about a seventh of what a whole core does. */
const MOST_PER_SECOND = 5000;

/**
 * held-receivers: accept with one and four receivers, each held to a part of a core, and with 64 connections to each. So it shows whether
 * receivers on one Redis hinder each other, not how fast the machine is. It takes root, and is skipped elsewhere.
 */
export async function heldReceivers(bench: BenchContext, results: Results): Promise<void> {
  const reason = whyNoShares();
  if (reason !== undefined) return bench.log(`held-receivers: skipped, because ${reason}`);
  for (let round = 1; round <= bench.plan.rounds; round++) {
    for (const count of bench.plan.heldReceivers.counts) {
      // oxlint-disable-next-line no-await-in-loop -- one at a time: they share the machine
      const rate = await measureHeld(bench, count);
      const variant = `${count} × ${HELD_CORES} of a core`;
      results.add({ measure: 'held-receivers', variant, contender: 'landline', metric: 'events', unit: '/s' }, rate);
      bench.log(`held-receivers, round ${round}: ${variant} ${formatNumber(rate)}/s`);
    }
  }
}

async function measureHeld(bench: BenchContext, count: number): Promise<number> {
  const shares = Array.from({ length: count }, (_, i) =>
    makeShare(`landline-bench-${process.pid}-receiver-${i}`, HELD_CORES),
  );
  try {
    return await onStage(bench, { contender: LANDLINE, receivers: count }, (stage) =>
      acceptHeld(stage, shares, bench.plan.heldReceivers.seconds),
    );
  } finally {
    // The receivers have ended with the stage.
    for (const share of shares) share.remove();
  }
}

/** Measures the events a second that held receivers answer 200. Afterwards a worker applies them, for the check. */
async function acceptHeld(stage: Stage, shares: readonly CpuShare[], seconds: number): Promise<number> {
  const { receivers } = stage;
  const warm: LoadResult[] = [];
  // Each receiver is warm when it has had its share, before it is held.
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  for (let i = 0; i < receivers.length; i++) warm.push(await stage.warmUp());
  const count = Math.ceil(receivers.length * seconds * MOST_PER_SECOND);
  const load = await stage.prepare({ kind: 'live', connections: receivers.length * CONNECTIONS, count, seconds });
  receivers.forEach(({ pid }, i) => shares[i]?.hold(pid));
  const result = await load.run();
  if (result.accepted.ids.length === count) throw new Error('All events were accepted before the end of the time.');
  await stage.startWorkers(1);
  await stage.untilDrained();
  await stage.check([...warm, result]);
  return result.accepted.ids.length / result.seconds;
}
