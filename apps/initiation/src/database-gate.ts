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

/**
 * Makes the gate. When it closes, the connections that there are may hang. So it asks on new ones, and when one of those is answered it cuts
 * the old ones, where they are still open, and opens.
 */
export function createDatabaseGate({ reader, logger, limitMs, onClose }: GateOptions): DatabaseGate {
  let closed: { because: AwayBecause; cutOld: () => void } | undefined;
  let probes = 0;
  let isKnownUp = false;
  let isStopped = false;
  let next: NodeJS.Timeout | undefined;

  const after = (ms: number, work: () => void) => {
    clearTimeout(next);
    if (!isStopped) next = setTimeout(work, ms).unref();
  };

  function close(because: AwayBecause): void {
    if (closed !== undefined || isStopped) return;
    const cutOld = reader.mark();
    closed = { because, cutOld };
    // The role may have few connections, and a probe needs one.
    setTimeout(cutOld, limitMs).unref();
    isKnownUp = false;
    logger.warn({ because }, 'The database does not answer: callers get INITIATION_DEFAULTS until it does');
    onClose();
    probe();
  }

  function open(): void {
    if (closed === undefined || isStopped) return;
    closed.cutOld();
    closed = undefined;
    isKnownUp = true;
    logger.info('The database answers again');
    after(WATCH_INTERVAL_MS, watch);
  }

  function probe(): void {
    if (closed === undefined) return;
    if (probes < MOST_PROBES) {
      probes += 1;
      reader
        .probe()
        .then(open, note)
        .finally(() => (probes -= 1));
    }
    after(PROBE_INTERVAL_MS, probe);
  }

  function watch(): void {
    if (closed !== undefined) return;
    reader
      .ping()
      .then(
        () => (isKnownUp ||= closed === undefined),
        (error: unknown) => void fail(error),
      )
      .finally(() => {
        if (closed === undefined) after(WATCH_INTERVAL_MS, watch);
      });
  }

  /** What a probe says of the outage may be more than what closed the gate. */
  function note(error: unknown): void {
    if (closed !== undefined) closed.because = becauseOf(error);
  }

  function fail(error: unknown): AwayBecause | 'internal_error' {
    if (!isOfDatabase(error)) {
      logger.error(nameOf(error), 'A look-up failed');
      return 'internal_error';
    }
    const because = becauseOf(error);
    if (closed === undefined && !isStopped) logger.warn(nameOf(error), 'The database failed');
    close(because);
    return because;
  }

  return {
    start: watch,
    closedBecause: () => closed?.because,
    close,
    fail,
    isUp: () => isKnownUp,
    stop() {
      isStopped = true;
      clearTimeout(next);
    },
  };
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
