import { setTimeout as delay } from 'node:timers/promises';
import type { Operation, OperationStore } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { describeProgress } from './describe-operation.ts';
import { describeWaiting } from './describe-waiting.ts';

/** How often it is asked how far an operation is, in ms. */
const ASK_MS = 250;

/** What is followed. */
export interface FollowOptions {
  store: Pick<OperationStore, 'get' | 'running'>;
  operation: Operation;
  /** Says how far it is while it runs; by default as `describeProgress` does. */
  describe?: ((operation: Operation) => Promise<string>) | undefined;
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
  { store, operation, describe = (now) => Promise.resolve(describeProgress(now)), signal }: FollowOptions,
  context: CommandContext,
): Promise<Operation | undefined> {
  const line = progressLine(context);
  const { isTerminal = false } = context;
  const waiting = describeWaiting({ store, isShown: isTerminal, tell: (text) => complain(text, context) });
  try {
    while (!signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- until its end
      const now = await store.get(operation.id).catch(() => undefined);
      if (now !== undefined && now.finishedAt !== null) return now;
      // oxlint-disable-next-line no-await-in-loop -- until its end
      if (now?.status === 'planned') await line.show(await waiting(now));
      // oxlint-disable-next-line no-await-in-loop -- until its end
      else if (now !== undefined && isTerminal) await line.show(await describe(now));
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
