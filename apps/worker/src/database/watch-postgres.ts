import type { Logger } from '@landline/process';
import type { PostgresBeats } from '@landline/queue';
import { StoreError, type Beat, type Store } from '@landline/store';
import type { WorkerMetrics } from '../metrics.ts';
import type { RecentCommits } from '../commit/recent-commits.ts';

/** How often a beat is left, in ms: what Postgres loses is noticed so late at most. */
const BEAT_MS = 1_000;

/** How many beats there are between two checks of the oldest job: it costs Redis some hundred reads. */
const BEATS_PER_JOB_CHECK = 5;

/** How many beats there are between two checks of the server's settings: an outage may be too short for a beat to meet it. */
const BEATS_PER_SETTINGS_CHECK = 10;

/** How often a risk that stays is reported again, in ms. */
const REPORT_AGAIN_MS = 60_000;

/** A beat that took longer is not noted, in ms: the server that committed it may be another by now. The next one is. */
const FRESH_MS = 5_000;

/** What the watch asks, and whom it tells. */
export interface WatchPostgresOptions {
  store: Pick<Store, 'beat' | 'durabilityRisks' | 'missing'>;
  beats: PostgresBeats;
  /** What this worker has committed last. */
  commits: Pick<RecentCommits, 'all'>;
  /** Whether the worker waits for the database: then nobody asks it. */
  isWaiting: () => boolean;
  logger: Logger;
  metrics: Pick<WorkerMetrics, 'postgresLosses' | 'postgresUnsafe'>;
}

/** Notices that Postgres has lost what it had committed. */
export interface PostgresWatch {
  start(): void;
  /** Resolves when the beat under way is over. */
  stop(): Promise<void>;
}

/**
 * Leaves a beat in Postgres each second: a number that one worker of all counts up, and the time when the oldest open job was enqueued. What a
 * Postgres loses is the end of what it had committed: a replica lagged, a backup is older, the disk was put back. Then its beat is older than the
 * newest that Redis knows was committed. All that was committed after the surviving beat may be gone, and every event of it was enqueued at
 * or after the time that this beat names: it was open then, or came later. The journals are asked to enqueue that again, and the ledger
 * skips what is still there.
 *
 * The order makes it safe among several workers: the beat is locked first, then Redis is asked, and a beat is noted in Redis only after
 * its commit. So whatever Redis names had been committed before we hold the lock, and a lower number in Postgres means that it is gone; no
 * slow worker can hide a loss by counting up from what survived. The request is left before the number is raised, so a worker that dies
 * in between leaves the loss to be found again.
 *
 * What was committed after the last beat leaves it as it is when it is lost. So each worker asks every server that it has not asked yet, once a
 * beat was left there, whether the last transactions that it committed are in the ledger.
 */
export function watchPostgres(options: WatchPostgresOptions): PostgresWatch {
  const { isWaiting, logger } = options;
  let timer: NodeJS.Timeout | undefined;
  let beating: Promise<void> | undefined;
  let turns = 0;
  /** Settings are checked first, and when the database was away: it may be another. */
  let isToBeChecked = true;
  let askedServer = '';
  const reportRisks = createRiskReport(options);
  const reportFault = createFaultReport(logger);

  function beat(): void {
    if (isWaiting()) isToBeChecked = true;
    else beating ??= beatOnce().finally(() => (beating = undefined));
  }

  async function beatOnce(): Promise<void> {
    const turn = turns++;
    const isCheck = isToBeChecked || turn % BEATS_PER_SETTINGS_CHECK === 0;
    isToBeChecked = false;
    try {
      if (isCheck) reportRisks(await options.store.durabilityRisks());
      await takeTurn(options, turn);
      askedServer = await askForCommits(options, askedServer);
      reportFault(undefined);
    } catch (error) {
      isToBeChecked = true;
      reportFault(error);
    }
  }

  return {
    start() {
      timer ??= setInterval(beat, BEAT_MS).unref();
      beat();
    },
    async stop() {
      clearInterval(timer);
      await beating;
    },
  };
}

/** Makes what reports the risks of the server's settings: each change of them, and those that stay every minute. */
function createRiskReport({ logger, metrics }: WatchPostgresOptions): (risks: readonly string[]) => void {
  let [reported, reportedAt] = ['', -Infinity];
  return (risks) => {
    metrics.postgresUnsafe.set(risks.length === 0 ? 0 : 1);
    const text = risks.join(' ');
    if (text === reported && performance.now() - reportedAt < REPORT_AGAIN_MS) return;
    [reported, reportedAt] = [text, performance.now()];
    for (const risk of risks) logger.error(risk);
  };
}

/** Makes what reports why no beat was left, once for each cause; undefined: one was. */
function createFaultReport(logger: Logger): (error: unknown) => void {
  let reported = '';
  return (error) => {
    if (error === undefined) reported = '';
    if (!(error instanceof StoreError) || error.code === reported) return;
    // Others report that Redis or Postgres is away; a right that is missing would go unseen. What Redis says while the beat is locked has
    // no class.
    if (error.faultClass === 'connection' || error.faultClass === 'unknown') return;
    reported = error.code;
    logger.warn({ code: error.code, advice: error.advice }, 'No beat in Postgres: what it loses would not be noticed');
  };
}

async function takeTurn(options: WatchPostgresOptions, turn: number): Promise<void> {
  const { beats, store } = options;
  if (!(await beats.takeTurn())) return;
  const startedAt = performance.now();
  const oldestOpenAt = turn % BEATS_PER_JOB_CHECK === 0 ? await beats.oldestOpenAt() : undefined;
  let lost: Loss | undefined;
  const { identity, seq, server } = await store.beat(async (found) => {
    const noted = await beats.noted(found.identity);
    lost = lossOf(found, noted);
    if (lost !== undefined) await beats.requestRedo({ ...lost, server: found.server });
    return { seq: Math.max(found.seq, noted.seq ?? 0) + 1, oldestOpenAt };
  });
  if (performance.now() - startedAt < FRESH_MS) await beats.note({ identity, seq, server });
  if (lost !== undefined) reportLoss(lost, options);
}

/** Asks a server whether it has what this worker committed last; returns the server that need not be asked again. */
async function askForCommits(options: WatchPostgresOptions, askedServer: string): Promise<string> {
  const { beats, commits, store } = options;
  const { server } = await store.missing([]);
  // Before a beat was left there, the loss may be larger than what this worker knows of.
  if (server === askedServer || (await beats.notedServer()) !== server) return askedServer;
  const asked = commits.all();
  const answer = await store.missing(asked.map(({ id }) => id));
  if (answer.server !== server) return askedServer;
  const missing = new Set(answer.ids);
  if (missing.size > 0) {
    const lost = asked.filter(({ id }) => missing.has(id));
    const sinceMs = Math.min(...lost.map(({ receivedAt }) => receivedAt));
    const notCoveredBefore = Math.max(...lost.map(({ committedAt }) => committedAt));
    const loss = { loss: `${server} ${sinceMs}`, sinceMs };
    if (await beats.requestRedo({ ...loss, server, notCoveredBefore })) reportLoss(loss, options);
  }
  return server;
}

interface Loss {
  loss: string;
  sinceMs: number;
}

/** What Postgres lacks of what Redis knows was committed. Another database than ever before lacks all of it. */
function lossOf(found: Beat, noted: { seq: number | undefined; hasOther: boolean }): Loss | undefined {
  if (noted.seq === undefined) return noted.hasOther ? { loss: found.identity, sinceMs: 0 } : undefined;
  if (found.seq >= noted.seq) return undefined;
  return { loss: `${found.identity} ${found.seq} ${noted.seq}`, sinceMs: found.oldestOpenAt ?? 0 };
}

function reportLoss({ sinceMs }: Loss, { logger, metrics }: WatchPostgresOptions): void {
  metrics.postgresLosses.inc();
  const since = sinceMs === 0 ? 'ever' : new Date(sinceMs).toISOString();
  logger.error(
    { since },
    'Postgres has lost events that it had committed: it is another database, or older than it was. The journals of all receivers enqueue again what came since then. Find out why: a failover to an asynchronous replica, a restored backup, a disk put back',
  );
}
