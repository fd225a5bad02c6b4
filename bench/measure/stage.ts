import { setTimeout as wait } from 'node:timers/promises';
import { choosePort } from '@landline/local-servers';
import type { BenchContext } from '../bench-context.ts';
import type { Contender, Place } from '../contender.ts';
import { prepareLoad, type PreparedLoad } from '../load/generator.ts';
import type { Load, LoadResult } from '../load/load.ts';
import { startProgram, startWorker, type RunningProgram } from '../processes.ts';
import { newRun } from './backlog.ts';
import { checkApplied } from './check-applied.ts';
import { commitsSince } from './commits.ts';

/** A load, but for where it goes to. */
export type StageLoad = Omit<Load, 'ports' | 'run'>;

/** A contender at work in an empty place of its own. */
export interface Stage {
  contender: Contender;
  place: Place;
  receivers: RunningProgram[];
  /** Makes a load for its receivers. */
  prepare: (load: StageLoad) => Promise<PreparedLoad>;
  /**
   * Sends what nobody counts. Each is kept busy for about as long: the fast by connections that never rest, the others by as many
   * events as take them that long to apply.
   */
  warmUp: () => Promise<LoadResult>;
  startWorkers: (count: number) => Promise<RunningProgram[]>;
  /** Resolves when nothing is left to apply. @throws When that takes too long. */
  untilDrained: () => Promise<void>;
  /** Events a second of a load that is drained, from its first request to the commit of its last event. */
  rateOf: (load: LoadResult) => Promise<number>;
  /** Checks that what was answered 200 is in the tables, once, and nothing else. @throws when not. */
  check: (results: readonly LoadResult[]) => Promise<void>;
}

/** Connections of a load that says nothing else. */
export const CONNECTIONS = 64;

/** How long a contender may take to apply what it accepted, in milliseconds. */
const DRAIN_LIMIT_MS = 180_000;
const ASK_MS = 20;
const LONGEST_WARM_UP_SECONDS = 10;
/** What the fast are sent at most, a second, while they warm up, and at full load. */
const WARM_UP_PER_SECOND = 15_000;
const MOST_PER_SECOND = 25_000;

/** Whether it takes thousands a second; the others apply some hundred. */
export function isFast({ name }: Contender): boolean {
  return name.startsWith('landline') || name === 'http-limit';
}

/** A closed loop of live events: so many of them that those who are fast do not run out, and that the others get done with them. */
export function fullLoad({ plan }: BenchContext, contender: Contender): StageLoad {
  const seconds = plan.endToEndSeconds;
  const count = isFast(contender) ? Math.ceil(seconds * MOST_PER_SECOND) : plan.eventsOfOthers;
  return { kind: 'live', connections: CONNECTIONS, seconds, count };
}

/** Who is on a stage. */
export interface Cast {
  contender: Contender;
  receivers?: number;
}

/** Puts a contender into an empty place, starts its receivers, runs `work` on that, and ends all that was started, whatever comes of it. */
export async function onStage<T>(bench: BenchContext, cast: Cast, work: (stage: Stage) => Promise<T>): Promise<T> {
  const running: RunningProgram[] = [];
  let result: T;
  try {
    result = await work(await openStage(bench, cast, running));
  } catch (error) {
    await Promise.allSettled(running.map((program) => program.stop()));
    throw error;
  }
  await Promise.all(running.map((program) => program.stop()));
  return result;
}

async function openStage(bench: BenchContext, cast: Cast, running: RunningProgram[]): Promise<Stage> {
  const { contender, receivers: count = 1 } = cast;
  const place = await bench.services.place(contender.name);
  await contender.prepare(place);
  const ports = await Promise.all(Array.from({ length: count }, () => choosePort(0)));
  const receivers = await Promise.all(
    ports.map((port) => startProgram(contender.receiver(place, port), `http://127.0.0.1:${port}`)),
  );
  running.push(...receivers);
  const prepare: Stage['prepare'] = (load) => prepareLoad({ ...load, ports, run: newRun() });
  return {
    contender,
    place,
    receivers,
    prepare,
    async warmUp() {
      const { warmUpSeconds, eventsOfOthers } = bench.plan;
      const load = isFast(contender)
        ? { seconds: warmUpSeconds, count: Math.ceil(warmUpSeconds * WARM_UP_PER_SECOND) }
        : { seconds: LONGEST_WARM_UP_SECONDS, count: eventsOfOthers / 2 };
      return (await prepare({ kind: 'live', connections: CONNECTIONS, ...load })).run();
    },
    async startWorkers(wanted) {
      const { worker } = contender;
      if (!worker) return [];
      const started = await Promise.all(
        Array.from({ length: wanted }, async () => startWorker(worker(place, await choosePort(0)))),
      );
      running.push(...started);
      return started;
    },
    async untilDrained() {
      const deadline = performance.now() + DRAIN_LIMIT_MS;
      // oxlint-disable no-await-in-loop -- asking again and again is the point
      while (((await contender.pending?.(place)) ?? 0) > 0) {
        if (performance.now() > deadline) throw new Error(`${contender.name} did not apply all in time.`);
        await wait(ASK_MS);
      }
    },
    async rateOf({ accepted, startedAt }) {
      const commits = await commitsSince(place.databaseUrl, { page: 0, at: startedAt });
      return (accepted.ids.length * 1000) / ((commits.at(-1)?.at ?? Number.NaN) - startedAt);
    },
    async check(results) {
      const ids = results.flatMap(({ accepted }) => accepted.ids);
      const refused = results.reduce((sum, result) => sum + result.refused.length, 0);
      const unknown = results.reduce((sum, result) => sum + result.unknown, 0);
      if (refused + unknown > 0)
        throw new Error(`${contender.name} refused ${refused} events and did not answer ${unknown}.`);
      await checkApplied({ name: contender.name, databaseUrl: place.databaseUrl, ids, pending: 0 });
    },
  };
}
