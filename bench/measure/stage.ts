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

/** A load without its receivers. */
export type StageLoad = Omit<Load, 'ports' | 'run'>;

/** A contender that runs in an empty place of its own. */
export interface Stage {
  contender: Contender;
  place: Place;
  receivers: RunningProgram[];
  /** Makes a load for its receivers. */
  prepare: (load: StageLoad) => Promise<PreparedLoad>;
  /**
   * Sends a load that is not counted. It keeps each contender busy for about as long: a fast one by connections that never pause, a slow
   * one by as many events as it applies in that time.
   */
  warmUp: () => Promise<LoadResult>;
  startWorkers: (count: number) => Promise<RunningProgram[]>;
  /** Resolves when every event is applied. @throws When that takes too long. */
  untilDrained: () => Promise<void>;
  /** Computes the events a second of a load, from its first request to the commit of its last event. */
  rateOf: (load: LoadResult) => Promise<number>;
  /** Checks that every event answered 200 is in the tables once, and no other event is. @throws When not. */
  check: (results: readonly LoadResult[]) => Promise<void>;
}

/** The default number of connections of a load. */
export const CONNECTIONS = 64;

/** How long a contender may take to apply the events that it accepted, in milliseconds. */
const DRAIN_LIMIT_MS = 180_000;
const ASK_MS = 20;
const LONGEST_WARM_UP_SECONDS = 10;
/** The most events a second for a fast contender, at warm-up and at full load. */
const WARM_UP_PER_SECOND = 15_000;
const MOST_PER_SECOND = 25_000;

/** Checks whether a contender applies thousands of events a second; the others apply some hundred. */
export function isFast({ name }: Contender): boolean {
  return name.startsWith('landline') || name === 'http-limit';
}

/** Makes a closed loop of live events. A fast contender does not run out of them, and a slow one can apply all of them. */
export function fullLoad({ plan }: BenchContext, contender: Contender): StageLoad {
  const seconds = plan.endToEndSeconds;
  const count = isFast(contender) ? Math.ceil(seconds * MOST_PER_SECOND) : plan.eventsOfOthers;
  return { kind: 'live', connections: CONNECTIONS, seconds, count };
}

/** The contender of a stage, and its receivers. */
export interface Cast {
  contender: Contender;
  receivers?: number;
}

/** Starts the receivers of a contender in an empty place, runs `work`, and stops all processes, also where `work` fails. */
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
