import { setTimeout as delay } from 'node:timers/promises';
import { Gauge, type Registry } from 'prom-client';

/** How long a look may take, in ms: the other metrics of the scrape wait for it. */
const LOOK_LIMIT_MS = 1_000;

/** How long a look is reused, in ms: the gauges of one scrape share it. */
const KEPT_MS = 1_000;

/** What waits in one shard's queue. */
export interface BacklogLook {
  events: number;
  /** How long it will take. */
  seconds: number;
  /** Age of the oldest job that waits. */
  oldestSeconds: number;
}

/** The gauges: name, help, and which part of a look they show. */
const GAUGES: readonly (readonly [name: string, help: string, part: keyof BacklogLook])[] = [
  [
    'landline_backlog_events',
    'Events that wait in Redis for a worker; no sample while Redis does not answer.',
    'events',
  ],
  ['landline_backlog_seconds', 'How long these events will take at the pace of the last minute.', 'seconds'],
  [
    'landline_backlog_oldest_seconds',
    'Age of the oldest job that waits in Redis; 0 where none waits.',
    'oldestSeconds',
  ],
];

/**
 * Adds gauges of the backlog with the label `shard`. A shard has no samples while its look rejects or is late.
 *
 * @param looks   How to look at each shard, by its name. It is called at a scrape, at most once in `keptMs`.
 */
export function addBacklog(
  registry: Registry,
  looks: Readonly<Record<string, () => Promise<BacklogLook>>>,
  { keptMs = KEPT_MS } = {},
): void {
  const shards = Object.entries(looks).map(([shard, look]) => ({ shard, look: reuse(() => inTime(look), keptMs) }));
  for (const [name, help, part] of GAUGES) {
    const gauge: Gauge<'shard'> = new Gauge({
      name,
      help,
      labelNames: ['shard'],
      registers: [registry],
      async collect() {
        const found = await Promise.all(shards.map(async ({ shard, look }) => ({ shard, seen: await look() })));
        gauge.reset();
        for (const { shard, seen } of found) if (seen !== undefined) gauge.set({ shard }, seen[part]);
      },
    });
  }
}

function reuse<T>(look: () => Promise<T>, keptMs: number): () => Promise<T> {
  let last: { at: number; answer: Promise<T> } | undefined;
  return () => {
    const at = performance.now();
    if (last === undefined || at - last.at >= keptMs) last = { at, answer: look() };
    return last.answer;
  };
}

async function inTime<T>(look: () => Promise<T>): Promise<T | undefined> {
  const late = delay(LOOK_LIMIT_MS, undefined, { ref: false });
  return Promise.race([look(), late]).catch(() => undefined);
}
