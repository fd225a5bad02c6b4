import type { Logger } from '@landline/process';
import { StoreError, type Reader } from '@landline/store';

/** Why the database is not asked. */
export type AwayBecause = 'database_away' | 'database_slow';

/** How often a database that is away is asked whether it is back, in ms. */
const PROBE_INTERVAL_MS = 200;

/** Probes at once. Each may take a second, so the newest runs beside those that hang. */
const MOST_PROBES = 5;

/** How often a database that answers is asked while nobody calls, in ms. It keeps a connection open, and the metric true. */
const WATCH_INTERVAL_MS = 1_000;

/** Knows whether the database answers. While it does not, nobody is to ask it but the gate. */
export interface DatabaseGate {
  /** Begins to ask; the first connection is open before the first call. */
  start(): void;
  /** Why nobody is to ask; undefined while the database answers. */
  closedBecause(): AwayBecause | undefined;
  /** Closes the gate until the database answers again. */
  close(because: AwayBecause): void;
  /** What an error of the reader means: closes the gate where it is the database's. */
  fail(error: unknown): AwayBecause | 'internal_error';
  /** Whether the database has answered, and answers still. */
  isUp(): boolean;
  /** Asks no more. */
  stop(): void;
}

/** What a gate is made of. */
export interface GateOptions {
  reader: Pick<Reader, 'ping' | 'probe' | 'mark'>;
  logger: Logger;
  /** How long a look-up may take, in ms: then those that were under way when the gate closed are late as well. */
  limitMs: number;
  /** The gate has closed: what was known before may be old when it opens. */
  onClose: () => void;
}

interface Gate extends GateOptions {
  closed: { because: AwayBecause; cutOld: () => Promise<void> } | undefined;
  /** Probes under way. */
  probes: number;
  isKnownUp: boolean;
  isStopped: boolean;
  /** The next probe, or the next look while it is open. */
  next: NodeJS.Timeout | undefined;
}

/**
 * Makes the gate. When it closes, the connections that there are may hang. So it asks on new ones, and when one of those is answered it cuts
 * the old ones, where they are still open, and opens.
 */
export function createDatabaseGate(options: GateOptions): DatabaseGate {
  const gate: Gate = {
    ...options,
    closed: undefined,
    probes: 0,
    isKnownUp: false,
    isStopped: false,
    next: undefined,
  };
  return {
    start: () => watch(gate),
    closedBecause: () => gate.closed?.because,
    close: (because) => close(gate, because),
    fail: (error) => fail(gate, error),
    isUp: () => gate.isKnownUp,
    stop() {
      gate.isStopped = true;
      clearTimeout(gate.next);
    },
  };
}

function after(gate: Gate, ms: number, work: (gate: Gate) => void): void {
  clearTimeout(gate.next);
  if (!gate.isStopped) gate.next = setTimeout(work, ms, gate).unref();
}

function close(gate: Gate, because: AwayBecause): void {
  if (gate.closed !== undefined || gate.isStopped) return;
  const cutOld = gate.reader.mark();
  gate.closed = { because, cutOld };
  gate.isKnownUp = false;
  // The role may have few connections, and a probe needs one.
  setTimeout(() => void cutOld(), gate.limitMs).unref();
  gate.logger.warn({ because }, 'The database does not answer: callers get INITIATION_DEFAULTS until it does');
  gate.onClose();
  probe(gate);
}

async function open(gate: Gate): Promise<void> {
  const { closed } = gate;
  await closed?.cutOld();
  // Another probe may have opened it meanwhile.
  if (closed === undefined || gate.closed !== closed || gate.isStopped) return;
  gate.closed = undefined;
  gate.isKnownUp = true;
  gate.logger.info('The database answers again');
  after(gate, WATCH_INTERVAL_MS, watch);
}

/** Asks on a connection of its own, and again soon, whatever becomes of this one. */
function probe(gate: Gate): void {
  if (gate.closed === undefined) return;
  if (gate.probes < MOST_PROBES) {
    gate.probes += 1;
    gate.reader
      .probe()
      .then(
        () => open(gate),
        (error: unknown) => {
          // It may say more than what closed the gate.
          if (gate.closed !== undefined) gate.closed.because = becauseOf(error);
        },
      )
      .finally(() => (gate.probes -= 1));
  }
  after(gate, PROBE_INTERVAL_MS, probe);
}

/** Asks while the gate is open, and again a while after the answer. */
function watch(gate: Gate): void {
  if (gate.closed !== undefined) return;
  gate.reader
    .ping()
    .then(
      () => (gate.isKnownUp ||= gate.closed === undefined),
      (error: unknown) => fail(gate, error),
    )
    .finally(() => {
      if (gate.closed === undefined) after(gate, WATCH_INTERVAL_MS, watch);
    });
}

function fail(gate: Gate, error: unknown): AwayBecause | 'internal_error' {
  if (!isOfDatabase(error)) {
    gate.logger.error(nameOf(error), 'A look-up failed');
    return 'internal_error';
  }
  if (gate.closed === undefined && !gate.isStopped) gate.logger.warn(nameOf(error), 'The database failed');
  const because = becauseOf(error);
  close(gate, because);
  return because;
}

/** Of the others the question is at fault, or this process. */
function isOfDatabase(error: unknown): boolean {
  return error instanceof StoreError && error.faultClass !== 'data' && error.faultClass !== 'unknown';
}

function becauseOf(error: unknown): AwayBecause {
  if (!(error instanceof StoreError)) return 'database_away';
  const isLate = error.faultClass === 'timeout' || /timeout/i.test(error.message);
  return isLate ? 'database_slow' : 'database_away';
}

/** Without its message, which may quote what was asked. */
function nameOf(error: unknown): object {
  if (error instanceof StoreError) return { code: error.code, faultClass: error.faultClass };
  return { code: error instanceof Error ? error.name : 'unknown' };
}
