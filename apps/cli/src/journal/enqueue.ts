import { relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { counted } from '@landline/operations';
import { listJournal, readJournalFile } from '@landline/journal';
import { createIntake, intakeVariables } from '@landline/intake';
import { readSecret } from '@landline/process';
import { describeRedisUrl, queueVariables, readQueueServers } from '@landline/queue';
import { deliverySchema, type Delivery } from '@landline/webhook/delivery';
import { z } from 'zod';
import { CliError } from '../errors.ts';
import { findRedis } from '../find-redis.ts';
import type { JournalContext } from './journal-context.ts';
import { readTime } from './read-time.ts';
import { describeDamage } from './verify.ts';

/** How long Redis may take for one job, in ms. No sender waits, so this may be longer than a receiver's ENQUEUE_TIMEOUT_MS. */
const JOB_LIMIT_MS = 10_000;

/** Counts of what was read; outside a dry run it was enqueued as well. */
interface Tally {
  records: number;
  events: number;
  bytes: number;
  /** The number of events that are no valid deliveries, and of damaged parts in the middle of a file. */
  skipped: number;
}

/** The destination of the events: the queue, or nothing in a dry run. */
interface Sink {
  maxEvents: number;
  maxBytes: number;
  /** Enqueues the events of one job. */
  put: (events: readonly Delivery[]) => Promise<void>;
  close: () => Promise<void>;
}

/**
 * `landline journal enqueue --since <time> [--until <time>] [--dry-run]`: enqueues the events that were journalled in that time. Events that
 * were applied before change nothing: the ledger skips them.
 *
 * @returns The exit code: 1 when something was skipped, else 0. Each skipped part has been printed.
 * @throws  {CliError} `enqueue_failed`: Redis takes no events, or stopped taking them. `arguments_invalid` or `configuration_invalid`.
 */
export async function enqueueJournal(args: string[], context: JournalContext): Promise<number> {
  const { since, until, dryRun } = readArguments(args);
  const { dir, print } = context;
  const files = (await listJournal(dir)).filter(({ firstAt, lastAt }) => Math.max(firstAt, lastAt) >= since);
  const sink = await openSink(context, dryRun);
  const tally: Tally = { records: 0, events: 0, bytes: 0, skipped: 0 };
  const verb = dryRun ? 'would be enqueued' : 'enqueued';
  try {
    for (const { path } of files) {
      const before = { ...tally };
      const report = (text: string) => print(`${relative(dir, path)}: ${text}`);
      // oxlint-disable-next-line no-await-in-loop -- oldest first
      await enqueueFile(path, { since, until, sink, tally, report });
      if (tally.records > before.records) report(`${describe(tally, before)} ${verb}`);
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `${counted(tally.events, 'event')} ${tally.events === 1 ? 'was' : 'were'} enqueued; then it stopped: ${reason}\nRun the same again when that is put right: what is there twice is applied once.`;
    throw new CliError('enqueue_failed', message, { cause });
  } finally {
    await sink.close();
  }
  print(`${describe(tally)} ${verb}${dryRun ? '; nothing was changed' : ''}.`);
  if (tally.skipped > 0) print(`${tally.skipped} skipped: see above.`);
  return tally.skipped > 0 ? 1 : 0;
}

function readArguments(args: string[]): { since: number; until: number; dryRun: boolean } {
  const { values } = parseArgs({
    args,
    options: { since: { type: 'string' }, until: { type: 'string' }, 'dry-run': { type: 'boolean', default: false } },
  });
  const now = Date.now();
  const since = readTime('--since', values.since ?? '', now);
  const until = values.until === undefined ? Infinity : readTime('--until', values.until, now);
  if (since > now) throw new CliError('arguments_invalid', '--since lies in the future.');
  if (until <= since) throw new CliError('arguments_invalid', '--until must be later than --since.');
  return { since, until, dryRun: values['dry-run'] };
}

/** Opens an intake that makes jobs of the same size as the receivers do. In a dry run the sink drops the events, and needs no Redis. */
async function openSink({ root, env, print }: JournalContext, dryRun: boolean): Promise<Sink> {
  const redisUrl = dryRun ? undefined : await findRedis(root, env);
  const given = { ...env, REDIS_URL: redisUrl, REDIS_CA: readSecret('REDIS_CA', env) };
  const read = z.object({ ...queueVariables, ...intakeVariables }).safeParse(given);
  if (!read.success) {
    throw new CliError('configuration_invalid', read.error.issues.map(({ message }) => message).join('\n'));
  }
  const limits = { batchMaxEvents: read.data.BATCH_MAX_EVENTS, batchMaxBytes: read.data.BATCH_MAX_BYTES };
  const size = { maxEvents: limits.batchMaxEvents, maxBytes: limits.batchMaxBytes };
  if (redisUrl === undefined) return { ...size, put: () => Promise.resolve(), close: () => Promise.resolve() };
  let fault = '';
  const intake = createIntake({
    ...(await readQueueServers(read.data)),
    ...limits,
    enqueueTimeoutMs: JOB_LIMIT_MS,
    onWarning: print,
    onError: (error) => (fault = error.message),
  });
  try {
    await intake.start();
    if (intake.status() !== 'ready') {
      throw new CliError('enqueue_failed', `Redis at ${describeRedisUrl(redisUrl)} takes nothing: ${fault}`);
    }
  } catch (error) {
    await intake.close();
    throw error;
  }
  return {
    ...size,
    async put(events) {
      const startedAt = performance.now();
      await Promise.all(events.map((event) => intake.accept(event)));
      // This pause is as long as the job took: so half of Redis' time is left for the events that the receivers enqueue.
      await delay(performance.now() - startedAt);
    },
    close: () => intake.close(),
  };
}

interface FileOptions {
  since: number;
  until: number;
  sink: Sink;
  /** The counts of this file are added to it. */
  tally: Tally;
  /** Prints a line about this file. */
  report: (text: string) => void;
}

async function enqueueFile(path: string, { since, until, sink, tally, report }: FileOptions): Promise<void> {
  let events: Delivery[] = [];
  let bytes = 0;
  const flush = async () => {
    if (events.length > 0) await sink.put(events);
    tally.events += events.length;
    tally.bytes += bytes;
    events = [];
    bytes = 0;
  };
  const records = readJournalFile(path, since, (damage) => {
    if (!damage.isTorn) tally.skipped += 1;
    report(describeDamage(damage));
  });
  for await (const record of records) {
    if (record.at >= until) break;
    tally.records += 1;
    for (const journalled of record.events) {
      const { data: event, error } = deliverySchema.safeParse(journalled);
      if (event === undefined) {
        tally.skipped += 1;
        report(`skipped an event of ${new Date(record.at).toISOString()}: ${z.prettifyError(error)}`);
        continue;
      }
      const size = Buffer.byteLength(event.body);
      if (events.length === sink.maxEvents || bytes + size > sink.maxBytes) await flush();
      events.push({ ...event, origin: 'replay' });
      bytes += size;
    }
  }
  await flush();
}

function describe(tally: Tally, before: Tally = { records: 0, events: 0, bytes: 0, skipped: 0 }): string {
  const { records, events, bytes } = tally;
  const parts = [counted(records - before.records, 'record'), counted(events - before.events, 'event')];
  return [...parts, counted(bytes - before.bytes, 'byte')].join(', ');
}
