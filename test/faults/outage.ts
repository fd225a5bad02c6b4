import { untilHealthy } from './health.ts';
import type { SystemUnderTest } from './system-under-test.ts';
import type { Measure } from './sender.ts';

/** What a sender sees of Redis being away. Times in ms. */
export interface Outage extends Omit<Measure, 'latencies'> {
  how: string;
  seconds: number;
  p50: number;
  p99: number;
  most: number;
  /** Until all that was answered 200 is in the tables; null: not within the limit. */
  drainedSeconds: number | null;
}

/** Twice the outage, in ms. */
const DRAIN_LIMIT_FACTOR = 2;
/** So much of what is due must be answered 200. */
const LEAST_SHARE = 0.99;

/**
 * Takes Redis away under load, gives it back once every request that was due meanwhile is answered or given up, and waits until all
 * is in the tables.
 */
export async function measureOutage(
  system: SystemUnderTest,
  how: 'stopped' | 'frozen',
  seconds: number,
): Promise<Outage> {
  const { redis, sender } = system;
  const measuring = sender.measure(seconds * 1000);
  if (how === 'stopped') await redis.stop();
  else redis.kill('SIGSTOP');
  const { latencies, ...counts } = await measuring;
  if (how === 'stopped') await redis.start();
  else redis.kill('SIGCONT');
  const drainedSeconds = (await untilHealthy(system, seconds * 1000 * DRAIN_LIMIT_FACTOR)) ?? null;
  const seen = Float64Array.from(latencies).sort();
  const at = (share: number) => seen[Math.min(seen.length - 1, Math.floor(seen.length * share))] ?? 0;
  return { how, seconds, ...counts, p50: at(0.5), p99: at(0.99), most: at(1), drainedSeconds };
}

/** Whether all that was due was answered 200, and came into the tables in time. */
export function isSurvived({ due, accepted, refused, unknown, drainedSeconds }: Outage): boolean {
  return accepted > 0 && accepted >= due * LEAST_SHARE && refused + unknown === 0 && drainedSeconds !== null;
}

/** A line about it. */
export function outageText({ how, seconds, drainedSeconds, ...outage }: Outage): string {
  const { due, accepted, refused, unknown, p50, p99, most } = outage;
  return (
    `Redis ${how} for ${seconds} s: of ${due} requests ${accepted} answered 200, ${refused} refused, ${unknown} unknown; ` +
    `the answer took ${p50.toFixed(1)} ms (p50), ${p99.toFixed(1)} ms (p99), ${most.toFixed(1)} ms (most); ` +
    `drained ${drainedSeconds === null ? 'never' : `after ${drainedSeconds.toFixed(1)} s`}`
  );
}
