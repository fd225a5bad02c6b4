import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { RedisRefusedError, type QueueUnavailableError } from '../errors.ts';
import {
  enter,
  leave,
  notReachedYet,
  reportReturn,
  type AvailabilityEvents,
  type AvailabilityState,
  type QueueStatus,
} from './availability-state.ts';
import type { MemoryCheck } from './check-memory.ts';
import { cleanError } from './clean-error.ts';
import { firstAttempt } from './connection.ts';
import { createFitness, type Fitness } from './fitness.ts';

/** How often a Redis that is connected, and not ready, is probed, in ms. */
const PROBE_INTERVAL_MS = 250;

/** How often a Redis that takes writes is checked, in ms: whether it fills up, or may evict what it holds. */
const WATCH_INTERVAL_MS = 1000;

/**
 * How long a start waits for Redis, in ms. By then it is clear whether Redis is away or frozen. A Redis that loads its data may do so
 * for minutes, in which the journal could take events.
 */
const START_LIMIT_MS = 5_000;

/** How often to check whether Redis still keeps what it acknowledges, in ms. A person who changes its configuration is warned within it. */
const CHECK_INTERVAL_MS = 10_000;

/** How to watch a Redis. */
export interface AvailabilityOptions extends AvailabilityEvents {
  connection: Redis;
  /** A key to try a write on; it expires within a second. */
  probeKey: string;
  /** How often the durability of Redis is checked while it takes writes, in ms. */
  checkIntervalMs?: number;
}

/** Knows whether Redis takes writes, so that an enqueue into a lost Redis costs nothing. */
export interface Availability {
  status(): QueueStatus;
  /** Returns why no write should be tried now; undefined when ready. */
  fault(): QueueUnavailableError | undefined;
  /**
   * Connects and probes. Resolves also when Redis is away, or loads its data for longer than five seconds.
   *
   * @throws RedisRefusedError where Redis `isRequired`
   */
  connect(options: { isRequired: boolean }): Promise<void>;
  /** Counts bytes that are about to be written, so that a flood is seen before Redis is full. */
  countBytes(bytes: number): void;
  /** Takes note that a write failed: Redis is away until a probe succeeds. Returns the error for the callers. */
  writeFailed(thrown: unknown): QueueUnavailableError;
  close(): void;
}

interface Watch {
  readonly connection: Redis;
  readonly probeKey: string;
  readonly checkIntervalMs: number;
  readonly state: AvailabilityState;
  readonly fitness: Fitness;
  isProbing: boolean;
  /** The last probe, under way or over. */
  probe: Promise<void>;
  isChecking: boolean;
  nextCheck: NodeJS.Timeout | undefined;
}

/**
 * Watches the Redis of `connection`. Probes it whenever it connects, and after a failure again and again until it takes a write. Checks
 * it every second while it takes writes.
 */
export function watchAvailability(options: AvailabilityOptions): Availability {
  const watch = begin(options);
  const { connection, state, fitness } = watch;
  connection.on('ready', () => void startProbing(watch, 0));
  connection.on('error', (error) => void fail(watch, error));
  connection.on('close', () => {
    if (state.status !== 'away') leave(state, 'away', new Error('the connection was closed'));
  });
  return {
    status: () => state.status,
    fault: () => state.fault,
    async connect({ isRequired }) {
      await Promise.race([firstAttempt(connection), delay(START_LIMIT_MS, undefined, { ref: false })]);
      await watch.probe;
      const cause = state.fault?.cause;
      if (isRequired && state.status === 'refused' && cause instanceof RedisRefusedError) throw cause;
    },
    countBytes(bytes) {
      if (fitness.countBytes(bytes)) void checkNow(watch);
    },
    writeFailed: (thrown) => fail(watch, thrown),
    close() {
      state.isClosed = true;
      clearTimeout(watch.nextCheck);
    },
  };
}

function begin({ connection, probeKey, checkIntervalMs = CHECK_INTERVAL_MS, ...events }: AvailabilityOptions): Watch {
  const { onWarning } = events;
  return {
    connection,
    probeKey,
    checkIntervalMs,
    state: notReachedYet(events),
    fitness: createFitness({ connection, checkIntervalMs, onWarning }),
    isProbing: false,
    probe: Promise.resolve(),
    isChecking: false,
    nextCheck: undefined,
  };
}

function fail(watch: Watch, thrown: unknown): QueueUnavailableError {
  void startProbing(watch, PROBE_INTERVAL_MS);
  return leave(watch.state, 'away', cleanError(thrown));
}

/** Probes Redis until it is ready, or the connection is gone; `ready` of the connection begins again then. */
async function startProbing(watch: Watch, waitMs: number): Promise<void> {
  if (watch.isProbing) return;
  watch.isProbing = true;
  if (waitMs > 0) await delay(waitMs);
  while (isProbeNeeded(watch)) {
    watch.probe = probeOnce(watch).catch((error: unknown) => void leave(watch.state, 'away', cleanError(error)));
    await watch.probe;
    if (isProbeNeeded(watch)) await delay(PROBE_INTERVAL_MS);
  }
  watch.isProbing = false;
}

function isProbeNeeded({ connection, state }: Watch): boolean {
  return !state.isClosed && connection.status === 'ready' && state.status !== 'ready';
}

async function probeOnce(watch: Watch): Promise<void> {
  const { connection, probeKey, state, fitness } = watch;
  if (!isFit(watch, await fitness.checkAll())) return;
  // Only a write shows it: a Redis out of memory, a replica and a full disk all answer reads.
  await connection.set(probeKey, '1', 'PX', 1000);
  enter(state);
  checkAfter(watch, Math.min(WATCH_INTERVAL_MS, watch.checkIntervalMs));
  reportReturn(state);
}

/** Returns whether events may be written into this memory; makes Redis unavailable if not. */
function isFit({ state, fitness }: Watch, memory: MemoryCheck): boolean {
  const unfitness = fitness.judge(memory);
  if (unfitness !== undefined) leave(state, unfitness.status, unfitness.cause);
  return unfitness === undefined;
}

function checkAfter(watch: Watch, waitMs: number): void {
  clearTimeout(watch.nextCheck);
  if (!watch.state.isClosed) watch.nextCheck = setTimeout(() => void checkNow(watch), waitMs).unref();
}

/**
 * Checks a Redis that is ready: its memory each time, and less often everything that its durability rests on. A Redis that forbids INFO
 * is asked less often too.
 */
async function checkNow(watch: Watch): Promise<void> {
  const { state, checkIntervalMs } = watch;
  if (watch.isChecking || state.isClosed || state.status !== 'ready') return;
  watch.isChecking = true;
  try {
    const memory = await watch.fitness.checkNext();
    if (isStillReady(state)) {
      if (memory === undefined) checkAfter(watch, checkIntervalMs);
      else if (isFit(watch, memory)) checkAfter(watch, Math.min(WATCH_INTERVAL_MS, checkIntervalMs));
      else void startProbing(watch, PROBE_INTERVAL_MS);
    }
  } catch (error) {
    fail(watch, error);
  }
  watch.isChecking = false;
}

/** The status may have changed while Redis answered. */
function isStillReady({ status }: AvailabilityState): boolean {
  return status === 'ready';
}
