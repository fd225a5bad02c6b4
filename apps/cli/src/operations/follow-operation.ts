import { setTimeout as delay } from 'node:timers/promises';
import type { Operation, OperationStore } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { describeProgress } from './describe-operation.ts';

/** How often it is asked how far an operation is, in ms. */
const ASK_MS = 250;

/** After this time without a worker that takes it, the operator is told, in ms. */
const NO_WORKER_MS = 15_000;

/** What is followed. */
export interface FollowOptions {
  store: Pick<OperationStore, 'get'>;
  operation: Operation;
  /** Aborted when the operator has seen enough. */
  signal: AbortSignal;
}

/**
 * Follows an operation to its end, with a line that shows how far it is where the answer goes to a terminal. While Postgres is away it goes
 * on asking.
 *
 * @returns  The operation as it ended; undefined where the signal came first.
 */
export async function followOperation(
  { store, operation, signal }: FollowOptions,
  context: CommandContext,
): Promise<Operation | undefined> {
  const line = progressLine(context);
  const startedAt = performance.now();
  let hasWarned = false;
  try {
    while (!signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- until its end
      const now = await store.get(operation.id).catch(() => undefined);
      if (now !== undefined && now.finishedAt !== null) return now;
      // oxlint-disable-next-line no-await-in-loop -- until its end
      if (now !== undefined) await line.show(describeProgress(now));
      if (now?.status === 'planned' && !hasWarned && performance.now() - startedAt > NO_WORKER_MS) {
        hasWarned = true;
        complain('No worker has begun yet: see that one runs, and that no other operation of this kind does.', context);
      }
      // oxlint-disable-next-line no-await-in-loop -- until its end
      await delay(ASK_MS, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  } finally {
    await line.end();
  }
}

/** Makes a signal that Ctrl-C aborts, until `end`. */
export function untilInterrupted(): { signal: AbortSignal; end: () => void } {
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  return { signal: stop.signal, end: () => void process.off('SIGINT', interrupt) };
}

/** Prints beside the command's answer. */
export function complain(text: string, { print, printError = print }: CommandContext): void {
  printError(text);
}

/** A line that is written anew in its place; nothing where there is no terminal. */
function progressLine({ isTerminal = false, write }: CommandContext) {
  let isShown = false;
  const put = async (text: string) => {
    if (isTerminal && write !== undefined) await write(Buffer.from(text));
  };
  return {
    show(text: string): Promise<void> {
      isShown = true;
      return put(`\r\u001b[2K${text}`);
    },
    end: async () => {
      if (isShown) await put('\r\u001b[2K');
    },
  };
}
