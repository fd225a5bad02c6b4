import type { Logger } from '@landline/process';
import { StoreError, type Reader } from '@landline/store';

/** Why look-ups do not query the database. */
export type AwayBecause = 'database_away' | 'database_slow';

/** The time between two probes of a database that is away, in ms. */
const PROBE_INTERVAL_MS = 200;

/** How many probes run at once. Each may take a second, so a new probe runs beside those that hang. */
const MOST_PROBES = 5;

/** The time between two pings of a database that answers, in ms. They keep a connection open and the metric right when no call comes. */
const WATCH_INTERVAL_MS = 1_000;

/** Knows whether the database answers. While it does not, only the gate queries it. */
export interface DatabaseGate {
  /** Begins to ping, so that a connection is open before the first call. */
  start(): void;
  /** Returns why look-ups must not query the database; undefined while it answers. */
  closedBecause(): AwayBecause | undefined;
  /** Closes the gate until the database answers again. */
  close(because: AwayBecause): void;
  /** Classifies an error of the reader, and closes the gate where the database is at fault. Returns the reason for the answer. */
  fail(error: unknown): AwayBecause | 'internal_error';
  /** Whether the database has answered, and still does. */
  isUp(): boolean;
  /** Stops to ping and probe. */
  stop(): void;
}

/** Dependencies and limits of the gate. */
export interface GateOptions {
  reader: Pick<Reader, 'ping' | 'probe' | 'mark'>;
  logger: Logger;
  /** How long a look-up may take, in ms. So long after the gate closed, every look-up that was under way is late. */
  limitMs: number;
  /** Called when the gate closes: what was known before may be old when it opens. */
  onClose: () => void;
}

interface Gate extends GateOptions {
  closed: { because: AwayBecause; cutOld: () => Promise<void> } | undefined;
  /** How many probes are under way. */
  probes: number;
  isKnownUp: boolean;
  isStopped: boolean;
  /** The timer of the next probe, or of the next ping while the gate is open. */
  next: NodeJS.Timeout | undefined;
}

/**
 * Makes the gate. When it closes, the open connections may hang, so it probes on new ones.
 * When a probe is answered, the gate cuts the old connections that are still open, has a new one opened for the first caller, and opens: to open
 * a connection may take longer than a caller waits, and a caller who came too late would close the gate again.
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

/** @throws what a ping throws: then the gate stays closed */
async function open(gate: Gate): Promise<void> {
  const { closed } = gate;
  await closed?.cutOld();
  if (gate.closed !== closed || gate.isStopped) return;
  await gate.reader.ping();
  // Another probe may have opened the gate meanwhile.
  if (closed === undefined || gate.closed !== closed || gate.isStopped) return;
  gate.closed = undefined;
  gate.isKnownUp = true;
  gate.logger.info('The database answers again');
  after(gate, WATCH_INTERVAL_MS, watch);
}

/** Probes on a connection of its own, and schedules the next probe at once: this one may hang. */
function probe(gate: Gate): void {
  if (gate.closed === undefined) return;
  if (gate.probes < MOST_PROBES) {
    gate.probes += 1;
    gate.reader
      .probe()
      .then(() => open(gate))
      .catch((error: unknown) => {
        // The error of a probe may say more than the error that closed the gate.
        if (gate.closed !== undefined) gate.closed.because = becauseOf(error);
      })
      .finally(() => (gate.probes -= 1));
  }
  after(gate, PROBE_INTERVAL_MS, probe);
}

/** Pings while the gate is open, and schedules the next ping after the answer. */
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

/** Whether the database is at fault; else the query or this process is. */
function isOfDatabase(error: unknown): boolean {
  return error instanceof StoreError && error.faultClass !== 'data' && error.faultClass !== 'unknown';
}

function becauseOf(error: unknown): AwayBecause {
  if (!(error instanceof StoreError)) return 'database_away';
  const isLate = error.faultClass === 'timeout' || /timeout/i.test(error.message);
  return isLate ? 'database_slow' : 'database_away';
}

/** Returns the name and class of an error without its message, which may quote the caller's number. */
function nameOf(error: unknown): object {
  if (error instanceof StoreError) return { code: error.code, faultClass: error.faultClass };
  return { code: error instanceof Error ? error.name : 'unknown' };
}
