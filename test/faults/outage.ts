import { setTimeout as wait } from 'node:timers/promises';
import { untilHealthy } from './health.ts';
import type { Rig } from './rig.ts';

/** What a sender sees of Redis being away. Times in ms. */
export interface Outage {
  how: string;
  seconds: number;
  /** Requests that were answered. */
  answered: number;
  accepted: number;
  refused: number;
  unknown: number;
  p50: number;
  p99: number;
  most: number;
  /** Until all that was answered 200 is in the tables; null: not within the limit. */
  drainedSeconds: number | null;
}

/** Twice the outage, in ms. */
const DRAIN_LIMIT_FACTOR = 2;

/** Takes Redis away under load, gives it back, and waits until all is in the tables. */
export async function measureOutage(rig: Rig, how: 'stopped' | 'frozen', seconds: number): Promise<Outage> {
  const { redis, sent, sender } = rig;
  const period = sent.nextPeriod();
  const latencies = sender.recordLatencies();
  if (how === 'stopped') await redis.stop();
  else redis.kill('SIGSTOP');
  await wait(seconds * 1000);
  const seen = Float64Array.from(latencies).sort();
  const counts = { ...sent.counts(period) };
  if (how === 'stopped') await redis.start();
  else redis.kill('SIGCONT');
  const drainedSeconds = (await untilHealthy(rig, seconds * 1000 * DRAIN_LIMIT_FACTOR)) ?? null;
  const at = (share: number) => seen[Math.min(seen.length - 1, Math.floor(seen.length * share))] ?? 0;
  return { how, seconds, answered: seen.length, ...counts, p50: at(0.5), p99: at(0.99), most: at(1), drainedSeconds };
}

/** A line about it. */
export function outageText({ how, seconds, drainedSeconds, ...outage }: Outage): string {
  const { answered, accepted, refused, unknown, p50, p99, most } = outage;
  return (
    `Redis ${how} for ${seconds} s: ${answered} requests answered, ${accepted} events with 200, ${refused} requests refused, ${unknown} unknown; ` +
    `the answer took ${p50.toFixed(1)} ms (p50), ${p99.toFixed(1)} ms (p99), ${most.toFixed(1)} ms (most); ` +
    `drained ${drainedSeconds === null ? 'never' : `after ${drainedSeconds.toFixed(1)} s`}`
  );
}
