import type { Logger } from '@landline/process';
import type { ConsoleRequest, TakenRequest } from '@landline/queue';
import { HandBackError } from '@landline/queue/errors';
import { StoreError, type Store } from '@landline/store';
import { FAULT_POLICY } from '../fault-policy.ts';

/** How long a request waits before it is tried again, where the database did not take it, in ms. */
const HAND_BACK_MS = 2000;

/** How long a request for an operation of an unknown kind waits for a worker of a newer version, in ms: an update is over by then. */
const UNKNOWN_KIND_MS = 600_000;

/** How long the request to end an operation waits for the operation's row, in ms: the request to start it may come later. */
const NO_ROW_MS = 60_000;

/** What the console's requests are carried out with. */
export interface RequestContext {
  store: {
    operations: Pick<Store['operations'], 'request' | 'cancel' | 'get'>;
    failures: Pick<Store['failures'], 'markKnown' | 'unmark'>;
  };
  /** The kinds of operations that this worker runs. */
  kinds: () => readonly string[];
  /** Wakes a worker for operations. A worker that nobody wakes looks within seconds. */
  wake: () => Promise<void>;
  logger: Logger;
  /** The current time in unix ms. */
  now?: () => number;
}

/**
 * Carries out a request of the console; a second time changes nothing. A request that the database will never take is logged and is done.
 *
 * @throws  HandBackError where the database does not take it now, a worker of a newer version may know its kind of operations, or the operation that it
 *          ends may still come.
 */
export async function carryOut(request: ConsoleRequest, taken: TakenRequest, context: RequestContext): Promise<void> {
  const { logger, kinds, now = Date.now } = context;
  const { sentAt, isFirst } = taken;
  const { what, ...about } = describe(request);
  if (request.do === 'start' && !kinds().includes(request.kind)) {
    if (now() - sentAt < UNKNOWN_KIND_MS) throw new HandBackError('No worker has known this kind of operations yet.');
    return logger.error(
      { ...about, kinds: kinds() },
      'No worker knows this kind of operations: the request was removed',
    );
  }
  let isWritten: boolean;
  try {
    isWritten = await writeDown(request, context);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (FAULT_POLICY[error.faultClass].action !== 'isolate') {
      if (isFirst) logger.warn({ ...about, code: error.code }, 'A request of the console waits for the database');
      throw new HandBackError('The database does not take a request now.', { cause: error, delayMs: HAND_BACK_MS });
    }
    return logger.error(
      { ...about, code: error.code },
      'The database refuses a request of the console: it was removed',
    );
  }
  if (!isWritten) {
    if (now() - sentAt < NO_ROW_MS) throw new HandBackError('There is no such operation yet.');
    return logger.warn(about, 'There is no operation that the console asks the end of: the request was removed');
  }
  logger.info(about, what);
  if (request.do === 'start') await context.wake().catch(() => undefined);
}

/** Returns false where the request is about an operation that has no row. */
async function writeDown(request: ConsoleRequest, { store }: RequestContext): Promise<boolean> {
  switch (request.do) {
    case 'start': {
      const { do: _do, ...operation } = request;
      await store.operations.request(operation);
      return true;
    }
    case 'cancel':
      return ((await store.operations.cancel(request.id)) ?? (await store.operations.get(request.id))) !== undefined;
    case 'mark':
      await store.failures.markKnown(request.fingerprint, request.by, request.at);
      return true;
    case 'unmark':
      await store.failures.unmark(request.fingerprint, request.at);
      return true;
  }
}

/** What the log says of a request: no word of its filter, and no name. */
function describe(request: ConsoleRequest): { what: string } & Record<string, string> {
  switch (request.do) {
    case 'start':
      return { what: 'The console has asked for an operation', operation: request.id, kind: request.kind };
    case 'cancel':
      return { what: 'The console has asked for the end of an operation', operation: request.id };
    case 'mark':
      return { what: 'The console has marked failures as known', fingerprint: request.fingerprint };
    case 'unmark':
      return { what: 'The console has taken the mark off failures', fingerprint: request.fingerprint };
  }
}
