import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { REQUESTS_QUEUE } from '../names.ts';
import type { ConsoleRequest } from '../requests/console-request.ts';
import { requestJobSchema } from '../requests/console-request.ts';
import type { QueueServers } from '../servers/shard-places.ts';
import { onEachShard } from './on-each-shard.ts';
import { parseData } from './job-contents.ts';
import { idsInState, JOB_STATES, type JobState } from './rested-jobs.ts';

/** A request of the console in Redis, as whoever decides about it sees it. */
export interface HeldRequest {
  /** The operation that it asks for; undefined where it asks for something else, and where this version cannot read it. */
  operation: Pick<ConsoleRequest & { do: 'start' }, 'id' | 'kind' | 'filter'> | undefined;
  /** Its data where this version cannot read it, else undefined. */
  unreadable: Buffer | undefined;
  /** Whether no worker takes it any more, unless a person retries it. */
  isResting: boolean;
}

/** How many requests were to go. */
export interface ForgottenRequests {
  /** Were taken out of Redis. */
  requests: number;
  /** A worker has them in hand: they are still there. */
  in_hand: number;
}

/** How to go through the requests. */
export interface ForgetRequestsOptions {
  servers: QueueServers;
  /** Tells whether a request is to go. */
  decide: (request: HeldRequest) => boolean;
  /** Ends the search with the signal's reason. */
  signal: AbortSignal;
}

/**
 * Goes through all requests of the console, on every shard and every old one, and takes out those that are to go. A request that a worker has in hand stays.
 *
 * @throws  QueueUnavailableError; repeat the whole call.
 */
export async function forgetRequests({ servers, ...sweep }: ForgetRequestsOptions): Promise<ForgottenRequests> {
  const counts: ForgottenRequests = { requests: 0, in_hand: 0 };
  await onEachShard(servers, [REQUESTS_QUEUE], {
    signal: sweep.signal,
    async visit(connection, queue) {
      // oxlint-disable-next-line no-await-in-loop -- one state after the other
      for (const state of JOB_STATES) await forgetInState({ connection, queue, state }, { ...sweep, counts });
    },
  });
  return counts;
}

interface Where {
  connection: Redis;
  queue: Queue<unknown>;
  state: JobState;
}

interface Sweep extends Omit<ForgetRequestsOptions, 'servers'> {
  counts: ForgottenRequests;
}

async function forgetInState({ connection, queue, state }: Where, { decide, signal, counts }: Sweep): Promise<void> {
  const isResting = state === 'failed' || state === 'completed';
  // oxlint-disable no-await-in-loop -- one after the other: there are few
  for (const id of await idsInState(connection, queue.toKey(state), state)) {
    signal.throwIfAborted();
    const data = await connection.hget(queue.toKey(id), 'data');
    if (data === null || !decide({ ...readRequest(data), isResting })) continue;
    const isGone = state !== 'active' && (await queue.remove(id)) === 1;
    counts[isGone ? 'requests' : 'in_hand'] += 1;
  }
  // oxlint-enable no-await-in-loop
}

function readRequest(data: string): Omit<HeldRequest, 'isResting'> {
  const parsed = requestJobSchema.safeParse(parseData(data));
  if (!parsed.success) return { operation: undefined, unreadable: Buffer.from(data) };
  const { request } = parsed.data;
  return { operation: request.do === 'start' ? request : undefined, unreadable: undefined };
}
