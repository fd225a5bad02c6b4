import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { choosePort } from '../../apps/cli/src/services/choose-port.ts';
import type { BenchContext } from '../bench-context.ts';
import type { Contender, Place } from '../contender.ts';
import { prepareLoad, type PreparedLoad } from '../load/generator.ts';
import type { Load, LoadResult } from '../load/load.ts';
import { startProgram, startWorker, type RunningProgram } from '../processes.ts';
import { checkApplied } from './check-applied.ts';

/** A contender at work in an empty place of its own. */
export interface Stage {
  contender: Contender;
  place: Place;
  receivers: RunningProgram[];
  ports: number[];
  /** Makes a load for its receivers. */
  prepare: (load: Omit<Load, 'ports' | 'run'>) => Promise<PreparedLoad>;
  /**
   * Sends what nobody counts. Each is kept busy for about as long: the fast by connections that never rest, the others by as many
   * events as take them that long to apply.
   */
  warmUp: () => Promise<LoadResult>;
  startWorkers: (count: number) => Promise<RunningProgram[]>;
  /** Resolves when nothing is left to apply. */
  untilDrained: (withinMs: number) => Promise<void>;
  /** Checks that what was answered 200 is in the tables, once, and nothing else. @throws when not. */
  check: (results: readonly LoadResult[]) => Promise<void>;
  /** Ends all that it started. @throws When something had ended by itself. */
  close: () => Promise<void>;
}

const ASK_MS = 20;

const WARM_UP_CONNECTIONS = 64;
const LONGEST_WARM_UP_SECONDS = 10;
/** What the fast are sent at most, a second, while they warm up. */
const FAST_PER_SECOND = 15_000;

/** Whether it takes thousands a second; the others apply some hundred. */
export function isFast({ name }: Contender): boolean {
  return name.startsWith('landline') || name === 'http-limit';
}

/** Puts a contender into an empty place and starts its receivers. */
export async function openStage(bench: BenchContext, contender: Contender, receivers = 1): Promise<Stage> {
  const place = await bench.services.place(contender.name);
  await contender.prepare(place);
  const ports = await Promise.all(Array.from({ length: receivers }, () => choosePort(0)));
  const running = await Promise.all(ports.map((port) => startProgram(contender.receiver(place, port), ready(port))));
  const all = [...running];
  const prepare: Stage['prepare'] = (load) => prepareLoad({ ...load, ports, run: randomBytes(5).toString('hex') });
  return {
    contender,
    place,
    receivers: running,
    ports,
    prepare,
    async warmUp() {
      const { warmUpSeconds, eventsOfOthers } = bench.plan;
      const load = isFast(contender)
        ? { seconds: warmUpSeconds, count: Math.ceil(warmUpSeconds * FAST_PER_SECOND) }
        : { seconds: LONGEST_WARM_UP_SECONDS, count: eventsOfOthers / 2 };
      return (await prepare({ kind: 'live', connections: WARM_UP_CONNECTIONS, ...load })).run();
    },
    async startWorkers(count) {
      const { worker } = contender;
      if (!worker) return [];
      const started = await Promise.all(
        Array.from({ length: count }, async () => startWorker(worker(place, await choosePort(0)))),
      );
      all.push(...started);
      return started;
    },
    async untilDrained(withinMs) {
      const deadline = performance.now() + withinMs;
      // oxlint-disable no-await-in-loop -- asking again and again is the point
      while (((await contender.pending?.(place)) ?? 0) > 0) {
        if (performance.now() > deadline) throw new Error(`${contender.name} did not apply all within ${withinMs} ms.`);
        await wait(ASK_MS);
      }
    },
    async check(results) {
      const ids = results.flatMap(({ accepted }) => accepted.ids);
      const refused = results.reduce((sum, result) => sum + result.refused.length + result.unknown, 0);
      if (refused > 0) throw new Error(`${contender.name} did not answer ${refused} events with 200.`);
      await checkApplied({ name: contender.name, databaseUrl: place.databaseUrl, ids, pending: 0 });
    },
    async close() {
      await Promise.all(all.map((program) => program.stop()));
    },
  };
}

function ready(port: number): { readyUrl: string } {
  return { readyUrl: `http://127.0.0.1:${port}/health/ready` };
}

/** Runs `work` on a stage and closes it, whatever comes of it. */
export async function onStage<T>(stage: Promise<Stage>, work: (stage: Stage) => Promise<T>): Promise<T> {
  const opened = await stage;
  let result: T;
  try {
    result = await work(opened);
  } catch (error) {
    await opened.close().catch(() => undefined);
    throw error;
  }
  await opened.close();
  return result;
}
