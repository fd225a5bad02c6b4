import type { EventState } from '@landline/store';
import { z } from 'zod';
import type { OperationContext } from '../operation-kind.ts';
import { pause } from '../retry-while-away.ts';
import type { Batch, SentEvent } from './batch.ts';
import { addReason, describeReasons, reasonsSchema } from './reasons.ts';
import type { ReplayPorts } from './replay-ports.ts';
import type { Window } from './window.ts';

/** How often it is asked what became of jobs, in ms. */
const ASK_MS = 50;

/** How often events are sent whose job Redis lost. */
const MOST_SENDINGS = 3;

/** Where a replay goes on: everything up to `position` is counted. */
export const checkpointSchema = z.object({
  position: z.object({ receivedAt: z.number(), id: z.string() }).optional(),
  reasons: reasonsSchema.default({}),
});

/** What batches are settled with. */
export interface SettleOptions {
  context: OperationContext;
  ports: ReplayPorts;
  window: Window;
  /** Sends events again whose job was lost; returns the id of their new job. */
  resend: (batch: Batch, events: readonly SentEvent[]) => Promise<string | undefined>;
}

/** Settles batches, oldest first, until no more come. @throws the signal's reason as soon as it is aborted */
export async function settleAll(options: SettleOptions): Promise<void> {
  const { context, window } = options;
  // oxlint-disable no-await-in-loop -- one after the other
  while (!window.isClosed() || window.all().length > 0) {
    if (!(await settleFirst(options))) await pause(ASK_MS, context.signal);
  }
  // oxlint-enable no-await-in-loop
}

/** Settles the oldest batch if its job is done. Returns whether it was. */
export async function settleFirst(options: SettleOptions): Promise<boolean> {
  const { context, ports, window } = options;
  const [batch] = window.all();
  if (batch === undefined) return false;
  const state = await stateOf(batch, options);
  if (state === 'pending') return false;
  const ids = batch.sent.filter(({ outcome }) => outcome !== 'applied').map(({ id }) => id);
  const states = ids.length === 0 ? new Map<string, EventState>() : await context.retry(() => ports.ledger.states(ids));
  const ends = batch.sent.map((event): Ending => {
    const now = states.get(event.id);
    return { event, end: endOf(event, now, state), code: now?.code ?? 'unknown' };
  });
  const lost = ends.flatMap(({ event, end }) => (end === 'lost' ? [event] : []));
  if (lost.length > 0 && batch.sendings < MOST_SENDINGS) {
    // The others are counted together with them, so that the checkpoint stays behind all of them.
    window.replaceFirst({ ...batch, jobId: await options.resend(batch, lost), sendings: batch.sendings + 1 });
    return true;
  }
  await settleLetters(options, ends);
  count(context, batch, ends);
  window.removeFirst();
  return true;
}

async function stateOf({ jobId }: Batch, { context, ports }: SettleOptions): Promise<'pending' | 'failed' | 'gone'> {
  if (jobId === undefined) return 'gone';
  const [state = 'gone'] = await context.retry(() => ports.queue.states([jobId]));
  return state;
}

/** `again`: it died once more. */
type End = 'done' | 'applied' | 'again' | 'lost' | 'rests' | 'missing';

interface Ending {
  event: SentEvent;
  end: End;
  /** Of the fault with which it is dead now. */
  code: string;
}

function endOf(event: SentEvent, now: EventState | undefined, job: 'gone' | 'failed'): End {
  if (event.outcome === 'applied') return job === 'failed' ? 'rests' : 'done';
  if (now === undefined) return 'missing';
  if (now.outcome === 'applied') return 'applied';
  const isChanged = now.outcome !== event.outcome || now.attempts !== event.attempts;
  if (now.outcome === 'dead' && isChanged) return 'again';
  if (job === 'failed') return 'rests';
  return event.mustChange ? 'lost' : 'done';
}

/** Letters of events that are applied leave the queue; those of events that died again say why. */
async function settleLetters({ context, ports: { letters } }: SettleOptions, ends: readonly Ending[]): Promise<void> {
  // What is applied already may have been sent by a worker before, which left before it took the letter away.
  const isTakenOver = context.operation.fence > 1;
  const applied = ends.flatMap(({ event, end }) => {
    const isDone = end === 'applied' ? event.outcome === 'dead' : isTakenOver && event.outcome === 'applied';
    return isDone ? [event.id] : [];
  });
  const again = ends.flatMap(({ event, end }) => (end === 'again' && event.outcome === 'dead' ? [event.id] : []));
  if (applied.length > 0) await context.retry(() => letters.remove(applied));
  if (again.length > 0) await context.retry(() => letters.renew(again));
}

const REASONS: Readonly<Record<Exclude<End, 'done' | 'applied' | 'again'>, string>> = {
  rests: 'rest in failed of webhook-events',
  lost: 'were not applied under their id, or Redis lost them again and again',
  missing: 'are not in the ledger any more',
};

/** Counts a batch, and moves the checkpoint behind it: both are written together. */
function count(context: OperationContext, { unsent, position }: Batch, ends: readonly Ending[]): void {
  const failures = [...unsent, ...ends.flatMap(({ end, code }) => reasonOf(end, code))];
  const { done, failed, checkpoint } = context.progress();
  const before = checkpointSchema.parse(checkpoint ?? {});
  const reasons = failures.reduce(addReason, before.reasons);
  context.report({
    done: done + ends.length + unsent.length - failures.length,
    failed: failed + failures.length,
    message: describeReasons(reasons),
    checkpoint: { position: { ...position }, reasons },
  });
}

function reasonOf(end: End, code: string): string[] {
  if (end === 'done' || end === 'applied') return [];
  return [end === 'again' ? `died again (${code})` : REASONS[end]];
}
