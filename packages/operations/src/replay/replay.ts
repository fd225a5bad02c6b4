import { countMatching, eventFilterSchema } from '@landline/store';
import { z } from 'zod';
import { OperationFailedError, OperationStoppedError } from '../errors.ts';
import type { OperationContext, OperationKind } from '../operation-kind.ts';
import type { ReplayPorts } from './replay-ports.ts';
import { createSender } from './send.ts';
import { settleAll, settleFirst, type SettleOptions } from './settle.ts';
import { createWindow } from './window.ts';

/** The kind of a replay, as `operations.kind` has it. */
export const REPLAY = 'replay';

/** How long a replay that is cancelled waits for the jobs that a worker has begun, in ms. */
const LAST_JOBS_MS = 200;

/**
 * Makes the kind of operations that puts events of the ledger through the worker again. It adds jobs to the webhook queue, a few at a time,
 * and follows each of them: when its job is gone, the ledger says what became of an event.
 *
 * - Dead and ignored events are applied if they can be now. Applied ones are duplicates.
 * - Letters of events that are applied leave the dead-letter queue.
 * - `failed` counts the events that died again, or that have no body any more.
 *
 * A worker that takes over begins at the checkpoint and sends the events behind it again: those that were applied meanwhile are duplicates.
 */
export function replayKind(ports: ReplayPorts): OperationKind {
  return { kind: REPLAY, run: (context) => runReplay(context, ports) };
}

async function runReplay(context: OperationContext, ports: ReplayPorts): Promise<void> {
  const { operation } = context;
  const read = eventFilterSchema(Date.now()).safeParse(operation.filter);
  if (!read.success) throw new OperationFailedError(`The filter cannot be read: ${z.prettifyError(read.error)}`);
  const filter = read.data;
  if (operation.total === null) {
    const { total } = await context.retry(() => countMatching(ports.ledger, filter));
    context.report({ total });
  }
  const window = createWindow();
  const failing = new AbortController();
  const both: OperationContext = { ...context, signal: AbortSignal.any([context.signal, failing.signal]) };
  const sender = createSender({ context: both, ports, window, filter });
  const settling: SettleOptions = { context: both, ports, window, resend: sender.resend };
  const work = [sender.sendAll(), settleAll(settling)].map((part) =>
    part.catch((error: unknown) => {
      // The other part ends with this one.
      failing.abort(error);
      throw error;
    }),
  );
  try {
    await Promise.all(work);
  } catch (error) {
    await Promise.allSettled(work);
    if (isCancelled(context.signal)) await endEarly({ ...settling, context: withoutCancel(context) });
    throw error;
  }
}

function isCancelled({ reason }: AbortSignal): boolean {
  return reason instanceof OperationStoppedError && reason.code === 'cancelled';
}

/** Takes back the jobs that no worker has begun, and counts those that end soon. What is left is applied, and not counted. */
async function endEarly(settling: SettleOptions): Promise<void> {
  const { ports, window } = settling;
  const { signal } = settling.context;
  try {
    const ids = window.all().flatMap(({ jobId }) => jobId ?? []);
    const taken = new Set(await ports.queue.takeBack(ids));
    while (window.all().length > 0 && !signal.aborted) {
      const [first] = window.all();
      if (first?.jobId !== undefined && taken.has(first.jobId)) window.removeFirst();
      else if (!(await settleFirst(settling))) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } catch {
    // Redis or Postgres is away: the operation ends all the same.
  }
}

/** The same context for the time after the cancellation. */
function withoutCancel(context: OperationContext): OperationContext {
  const signal = AbortSignal.timeout(LAST_JOBS_MS);
  return { ...context, signal, hold: () => Promise.resolve(), retry: (work) => work() };
}
