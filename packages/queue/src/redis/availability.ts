import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { checkMemory, type MemoryCheck } from './check-memory.ts';
import { checkRedis } from './check-redis.ts';
import { cleanError } from './clean-error.ts';
import { firstAttempt } from './connection.ts';
import { QueueUnavailableError, RedisRefusedError } from '../errors.ts';
import { createHeadroom } from './headroom.ts';
import { reportChanges } from './report-changes.ts';

/** `ready`: the last write or look succeeded. `away`: down, slow, nearly full or refusing writes. `refused`: it would lose acknowledged events. */
export type QueueStatus = 'ready' | 'away' | 'refused';

/** How often a Redis that is connected but does not do is looked at again, in ms. */
const PROBE_INTERVAL_MS = 250;

/** How often a Redis that takes writes is looked at, in ms: whether it fills up, or may evict what it holds. */
const WATCH_INTERVAL_MS = 1000;

/**
 * How long a start waits for Redis, in ms. One that is away or frozen has shown that by then; one that loads its data says so for minutes,
 * in which the journal could take events.
 */
const START_LIMIT_MS = 5_000;

/** How often it is looked at whether Redis still keeps what it acknowledges, in ms. Whoever changes its configuration is told within it. */
const CHECK_INTERVAL_MS = 10_000;

/** What is told of a Redis. */
export interface AvailabilityEvents {
  /** Redis is no longer fit for writes: what waits must be told. */
  onAway: (fault: QueueUnavailableError) => void;
  /** What the check of Redis warns of; told once, and again when it changes. */
  onWarning: (message: string) => void;
  /** Why Redis is away or refused; told once per outage, never with an event's content. */
  onError: (error: Error) => void;
  /** Redis takes writes again, after `onError` told why it did not. */
  onReady: () => void;
}

/** How to watch a Redis. */
export interface AvailabilityOptions extends AvailabilityEvents {
  connection: Redis;
  /** A key to try a write on; it expires within a second. */
  probeKey: string;
  /** How often the durability of Redis is looked at while it takes writes, in ms. */
  checkIntervalMs?: number;
}

/** Knows whether Redis takes writes, so that an enqueue into a lost Redis costs nothing. */
export interface Availability {
  status(): QueueStatus;
  /** Why no write should be tried now; undefined when ready. */
  fault(): QueueUnavailableError | undefined;
  /** Connects and looks; resolves also when Redis is away, or loads its data for longer than five seconds. @throws RedisRefusedError where Redis `isRequired` */
  connect(options: { isRequired: boolean }): Promise<void>;
  /** Counts bytes that are about to be written, so that a flood is seen before Redis is full. */
  spend(bytes: number): void;
  /** A write failed: away, until a probe succeeds. Answers the error to give to the callers. */
  suspect(thrown: unknown): QueueUnavailableError;
  close(): void;
}

/** Watches `connection`: looks at it whenever it is ready, and again and again after a failure, until it takes a write; every second while it does. */
export function watchAvailability(options: AvailabilityOptions): Availability {
  const { connection, probeKey, onAway, onWarning, onReady, checkIntervalMs = CHECK_INTERVAL_MS } = options;
  const errors = reportChanges(options.onError);
  const headroom = createHeadroom();
  let status: QueueStatus = 'away';
  let fault: QueueUnavailableError | undefined = new QueueUnavailableError('Redis has not been reached yet.');
  let warned: string[] = [];
  let checkedAt = -Infinity;
  let hasLeft = false;
  let closed = false;
  let look = Promise.resolve();
  let probing = false;
  let watching = false;
  let nextWatch: NodeJS.Timeout | undefined;

  function leave(next: 'away' | 'refused', cause: Error): QueueUnavailableError {
    status = next;
    fault = new QueueUnavailableError(`Redis is ${next}: ${cause.message}`, { cause });
    hasLeft = true;
    if (!closed) errors.report(cause);
    onAway(fault);
    return fault;
  }

  function enter(): void {
    status = 'ready';
    fault = undefined;
    errors.reset();
    watchAfter(Math.min(WATCH_INTERVAL_MS, checkIntervalMs));
    if (hasLeft && !closed) onReady();
  }

  function suspect(thrown: unknown): QueueUnavailableError {
    void probe(PROBE_INTERVAL_MS);
    return leave('away', cleanError(thrown));
  }

  function warn(warnings: string[]): void {
    for (const warning of warnings) if (!warned.includes(warning)) onWarning(warning);
    warned = warnings;
  }

  async function check(): Promise<MemoryCheck> {
    const { memory, warnings } = await checkRedis(connection);
    checkedAt = performance.now();
    warn(warnings);
    return memory;
  }

  async function lookOnce(): Promise<void> {
    if (!isFit(await check())) return;
    // Only a write tells: a Redis out of memory, a replica and a full disk all answer reads.
    await connection.set(probeKey, '1', 'PX', 1000);
    enter();
  }

  /** Tells whether events may be written into this memory; leaves if not. */
  function isFit(memory: MemoryCheck): boolean {
    const full = headroom.note(memory);
    if (memory.refused !== undefined) leave('refused', new RedisRefusedError(memory.refused));
    else if (full !== undefined) leave('away', full);
    return memory.refused === undefined && full === undefined;
  }

  function watchAfter(waitMs: number): void {
    clearTimeout(nextWatch);
    if (!closed) nextWatch = setTimeout(() => void watch(), waitMs).unref();
  }

  /** Looks at a Redis that is ready: at its memory, and less often at all that its durability rests on. One that forbids INFO is asked less often too. */
  async function watch(): Promise<void> {
    if (watching || closed || status !== 'ready') return;
    watching = true;
    try {
      const isCheckDue = performance.now() - checkedAt >= checkIntervalMs;
      const memory = await (isCheckDue ? check() : checkMemory(connection));
      if (status === 'ready') {
        if (memory === undefined) watchAfter(checkIntervalMs);
        else if (isFit(memory)) watchAfter(Math.min(WATCH_INTERVAL_MS, checkIntervalMs));
        else void probe(PROBE_INTERVAL_MS);
      }
    } catch (error) {
      suspect(error);
    }
    watching = false;
  }

  async function probe(waitMs: number): Promise<void> {
    if (probing) return;
    probing = true;
    if (waitMs > 0) await delay(waitMs);
    while (isToBeLookedAt()) {
      look = lookOnce().catch((error: unknown) => void leave('away', cleanError(error)));
      await look;
      if (isToBeLookedAt()) await delay(PROBE_INTERVAL_MS);
    }
    probing = false;
  }

  function isToBeLookedAt(): boolean {
    return !closed && connection.status === 'ready' && status !== 'ready';
  }

  connection.on('ready', () => void probe(0));
  connection.on('error', (error) => void suspect(error));
  connection.on('close', () => {
    if (status !== 'away') leave('away', new Error('the connection was closed'));
  });

  return {
    status: () => status,
    fault: () => fault,
    async connect({ isRequired }) {
      await Promise.race([firstAttempt(connection), delay(START_LIMIT_MS, undefined, { ref: false })]);
      await look;
      if (isRequired && status === 'refused' && fault?.cause instanceof RedisRefusedError) throw fault.cause;
    },
    spend(bytes) {
      if (headroom.spend(bytes)) void watch();
    },
    suspect,
    close() {
      closed = true;
      clearTimeout(nextWatch);
    },
  };
}
