import { createHash } from 'node:crypto';
import type { Ledger, RejectedFilter, RejectedTable } from '@landline/store';
import type { Delivery } from '@landline/webhook/delivery';
import { secretId } from '@landline/webhook/verify';
import { z } from 'zod';
import { OperationFailedError } from '../errors.ts';
import { createJobAdder, MOST_IN_JOB, type AddJob, type OperationQueue } from '../job-adder.ts';
import type { OperationContext, OperationKind } from '../operation-kind.ts';
import { createPace } from '../pace.ts';
import { noReadmissions, readmitPage, type Accepting, type KeptRequest } from './readmit-page.ts';

/** The kind of a readmission, as `operations.kind` has it. */
export const READMIT = 'readmit';

/** How many requests are read at once: each may have 256 KiB. */
const PAGE_ROWS = 100;

/** What a readmission works with. */
export interface ReadmitPorts {
  rejected: Pick<RejectedTable, 'rejectedPage' | 'markReadmitted'>;
  ledger: Pick<Ledger, 'states'>;
  queue: OperationQueue;
  /** What this worker accepts. */
  accepting: Accepting;
}

/**
 * Writes which requests are readmitted, and with what, in words for `operations.filter`: times are ISO 8601, and secrets have their short ids, so
 * that a worker that does not know one of them does not pass its events over. Without `secrets`, the secrets are those that the worker has.
 */
export function readmitWords(
  { since, until, cause }: RejectedFilter,
  secrets?: readonly string[],
): Record<string, string> {
  return {
    ...(since !== undefined && { since: new Date(since).toISOString() }),
    ...(until !== undefined && { until: new Date(until).toISOString() }),
    ...(cause !== undefined && { cause }),
    ...(secrets !== undefined && { secrets: secrets.map(secretId).join() }),
  };
}

const time = z.iso.datetime().transform((text) => Date.parse(text));

const wordsSchema = z.strictObject({
  since: time.optional(),
  until: time.optional(),
  cause: z.string().optional(),
  secrets: z
    .string()
    .transform((text) => text.split(','))
    .optional(),
});

const checkpointSchema = z.object({
  after: z.object({ receivedAt: z.number(), id: z.string() }).optional(),
  unfit: z.record(z.string(), z.number()).default({}),
});

/**
 * Makes the kind of operations that verifies refused requests anew, with today's secrets and at the time of their receipt, and enqueues those
 * that pass with origin `readmitted`.
 *
 * - `done` counts the events that are in the queue, `failed` the requests that cannot be readmitted; the message says why.
 * - A request that this operation has readmitted has `readmitted_at` equal to its `started_at`, so a worker that takes over counts it once.
 */
export function readmitKind(ports: ReadmitPorts): OperationKind {
  return { kind: READMIT, run: (context) => runReadmit(context, ports) };
}

async function runReadmit(
  context: OperationContext,
  { rejected, ledger, queue, accepting }: ReadmitPorts,
): Promise<void> {
  const { operation, report, retry, signal } = context;
  const { secrets, ...filter } = readWords(operation.filter);
  checkSecrets(secrets, accepting);
  const startedAt = operation.startedAt ?? operation.createdAt;
  const add = createJobAdder(context, queue);
  const pace = createPace(operation.rate);
  const ports = {
    async enqueue(events: readonly Delivery[]) {
      await pace.take(events.length, signal);
      await addAll(operation.id, events, add);
    },
    mark: (ids: readonly string[]) => retry(() => rejected.markReadmitted(ids, startedAt)),
  };
  const known = async (ids: readonly string[]) => new Set((await retry(() => ledger.states(ids))).keys());
  let { after, unfit } = checkpointSchema.parse(operation.checkpoint ?? {});
  // oxlint-disable no-await-in-loop -- page after page, so that memory stays flat
  let page: Awaited<ReturnType<typeof rejected.rejectedPage>>;
  do {
    page = await retry(() => rejected.rejectedPage(filter, { after, limit: PAGE_ROWS }));
    const counts = noReadmissions();
    // Those of the worker before are in the queue already.
    const own = page.filter(({ readmittedAt }) => readmittedAt === startedAt).length;
    await readmitPage(othersOf(page, startedAt), { counts, accepting, known, ports });
    after = positionOf(page) ?? after;
    unfit = added(unfit, counts.unfit);
    const { done, failed } = context.progress();
    const readmitted = counts.readmitted + own;
    report({
      done: done + readmitted,
      failed: failed + page.length - readmitted,
      message: describe(unfit),
      checkpoint: { ...(after && { after }), unfit },
    });
  } while (page.length === PAGE_ROWS);
  // oxlint-enable no-await-in-loop
  const { done, failed } = context.progress();
  // The oldest may have left the table since they were counted.
  report({ total: done + failed });
}

function readWords(filter: unknown): z.output<typeof wordsSchema> {
  const read = wordsSchema.safeParse(filter);
  if (read.success) return read.data;
  throw new OperationFailedError(`The filter cannot be read: ${z.prettifyError(read.error)}`);
}

/** @throws OperationFailedError where this worker lacks a secret that the operation was asked for with, or has none at all */
function checkSecrets(wanted: readonly string[] | undefined, { secrets }: Accepting): void {
  if (wanted === undefined) {
    if (secrets.length > 0) return;
    throw new OperationFailedError(
      'The worker knows no secret, so no signature can be good. Set ELEVENLABS_WEBHOOK_SECRET for the workers, restart them, and ask again. Nothing was changed.',
    );
  }
  const known = new Set(secrets.map(secretId));
  const missing = wanted.filter((id) => !known.has(id));
  if (missing.length === 0) return;
  throw new OperationFailedError(
    `The worker does not know the secret ${missing.join(', ')} (the beginning of its SHA-256), which ELEVENLABS_WEBHOOK_SECRET had where this was asked for. Restart the workers so that they read it, and ask again. Nothing was changed.`,
  );
}

function othersOf<Request extends KeptRequest>(page: readonly Request[], startedAt: number): Request[] {
  return page.filter(({ readmittedAt }) => readmittedAt !== startedAt);
}

function positionOf(page: readonly KeptRequest[]): { receivedAt: number; id: string } | undefined {
  const last = page.at(-1);
  return last && { receivedAt: last.receivedAt, id: last.id };
}

/** Adds jobs of a few events each. The id of a job is that of its events, so the worker that takes over does not add it twice. */
async function addAll(operationId: string, events: readonly Delivery[], add: AddJob): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one job after the other
  for (const chunk of chunks(events)) await add(jobIdOf(operationId, chunk), chunk);
}

function jobIdOf(operationId: string, events: readonly Delivery[]): string {
  const digest = createHash('sha256');
  for (const { body } of events) digest.update(body);
  return `${READMIT}-${operationId}-${digest.digest('hex').slice(0, 16)}`;
}

function chunks(events: readonly Delivery[]): Delivery[][] {
  const all: Delivery[][] = [];
  let bytes = 0;
  for (const event of events) {
    const size = event.body.length;
    const last = all.at(-1);
    if (last === undefined || last.length >= MOST_IN_JOB.events || bytes + size > MOST_IN_JOB.bytes) {
      all.push([event]);
      bytes = size;
    } else {
      last.push(event);
      bytes += size;
    }
  }
  return all;
}

function added(
  counts: Readonly<Record<string, number>>,
  more: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum = { ...counts };
  for (const [reason, count] of Object.entries(more)) sum[reason] = (sum[reason] ?? 0) + count;
  return sum;
}

function describe(unfit: Readonly<Record<string, number>>): string | null {
  const reasons = Object.entries(unfit).map(([reason, count]) => `${count} ${reason}`);
  return reasons.length === 0 ? null : `Not readmitted: ${reasons.join(', ')}.`;
}
