import { overviewQuery, overviewSchema, type Overview } from '../contract/overview.ts';
import type { ApiPorts } from '../ports.ts';
import { route, type ApiRoute } from '../route.ts';
import { iso } from '../shown-time.ts';
import { attentionOf } from './attention.ts';
import { activitySince, seriesOf, shownActivity, type SPANS } from './figures.ts';
import { createReading, type Reading } from './reading.ts';

const HOUR_MS = 3_600_000;

/** GET /overview: one reading a second serves all consoles. */
export function overviewRoute(ports: Pick<ApiPorts, 'lookups' | 'queues' | 'activity' | 'canary'>): ApiRoute {
  const read = createReading(ports);
  return route({
    method: 'GET',
    path: '/overview',
    summary: 'Shows how the line is, and what needs attention. What does not answer is null.',
    query: () => overviewQuery,
    answer: overviewSchema,
    handle: async ({ query }) => overviewOf(await read(), query.series),
  });
}

/** Composes the answer. */
export function overviewOf(reading: Reading, series: keyof typeof SPANS): Overview {
  const { at, now, minutes, queue, processes, canarySentAt, redisFault, postgresFault } = reading;
  const journal = heldBy(reading, 'journalPendingRecords', 'journalPendingBytes');
  const spool = heldBy(reading, 'spoolFiles', 'spoolBytes');
  return {
    at: iso(at),
    now: now && shownActivity(now),
    hour: minutes && activitySince(minutes, at, HOUR_MS),
    day: minutes && activitySince(minutes, at, 24 * HOUR_MS),
    series: minutes && seriesOf(minutes, at, series),
    queue: queue && {
      waiting: queue.backlog.jobs,
      oldest_seconds: queue.backlog.jobs === 0 ? null : queue.backlog.oldestSeconds,
      dead_letters: queue.deadLetters,
    },
    journal: journal && { events: journal.count, bytes: journal.bytes },
    spool: spool && { files: spool.count, bytes: spool.bytes },
    canary_age_seconds: canarySentAt === null ? null : Math.max(0, at - canarySentAt) / 1000,
    processes: (processes ?? []).map(({ role, id, at: seenAt }) => ({ role, id, seen_at: iso(seenAt) })),
    redis: { ok: redisFault === null, message: redisFault },
    postgres: { ok: postgresFault === null, message: postgresFault },
    attention: attentionOf(reading),
  };
}

/** Adds up what receivers tell of themselves; null where none of them tells it. */
function heldBy({ processes }: Reading, gauge: string, bytes: string): { count: number; bytes: number } | null {
  const told = (processes ?? []).filter(({ gauges }) => gauges[gauge] !== undefined);
  if (told.length === 0) return null;
  const sum = (name: string) => told.reduce((all, { gauges }) => all + Math.max(0, gauges[name] ?? 0), 0);
  return { count: sum(gauge), bytes: sum(bytes) };
}
