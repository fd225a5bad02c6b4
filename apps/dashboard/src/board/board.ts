import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { ShardQueues } from '@landline/queue';
import type { FastifyPluginCallback } from 'fastify';
import { cutBodies } from './cut-bodies.ts';
import { permitOnlyLossless } from './permitted-actions.ts';

/** Where Bull Board is. */
export const BOARD_PATH = '/queues';

/** The queues of a shard, as the board shows them. */
export type BoardQueues = Pick<
  ShardQueues,
  'shard' | 'events' | 'deadLetters' | 'operations' | 'rejected' | 'requests' | 'list'
>;

type ListedQueue = ShardQueues['events'];

/** Returns the name of a queue on the board: with the number of its shard, where there are several. */
export function boardName({ name }: { name: string }, shard: string | undefined): string {
  return shard === undefined ? name : `${name}-${shard}`;
}

/** How a queue is shown. */
interface QueueView {
  description: string;
  /** Whether nobody may retry, promote or pause there. */
  readOnlyMode?: boolean;
}

/** Bull Board's own adapter, except that its lists do not read large bodies from Redis. */
class QueueAdapter extends BullMQAdapter {
  readonly #queue: ListedQueue;
  readonly #shard: BoardQueues;

  constructor(queue: ListedQueue, shard: BoardQueues, { description, readOnlyMode = false }: QueueView) {
    super(queue, { description, readOnlyMode });
    this.#queue = queue;
    this.#shard = shard;
    this.setFormatter('data', cutBodies);
  }

  override getName(): string {
    return boardName(this.#queue, this.#shard.shard);
  }

  override getJobs(...[states, start = 0, end = -1]: Parameters<BullMQAdapter['getJobs']>) {
    return this.#shard.list(this.#queue, { states: states.filter((state) => state !== 'paused'), start, end });
  }
}

/** Bull Board. */
export interface Board {
  plugin: FastifyPluginCallback;
  /** Shows the queues of these shards, and no others. */
  show(shards: readonly BoardQueues[]): void;
}

/** Makes Bull Board over the queues of these shards, as a plugin for Fastify that is registered under `BOARD_PATH`. */
export function board(shards: readonly BoardQueues[]): Board {
  const serverAdapter = new FastifyAdapter().setBasePath(BOARD_PATH);
  const adapters = new WeakMap<BoardQueues, QueueAdapter[]>();
  const { replaceQueues } = createBullBoard({
    queues: adaptersOf(shards, adapters),
    serverAdapter,
    options: {
      handlerHooks: { before: permitOnlyLossless },
      uiConfig: { boardTitle: 'Landline', hideDocsLink: true },
    },
  });
  return { plugin: serverAdapter.registerPlugin(), show: (shown) => replaceQueues(adaptersOf(shown, adapters)) };
}

/** Dead letters come first: they are what a person looks for. */
function adaptersOf(shards: readonly BoardQueues[], known: WeakMap<BoardQueues, QueueAdapter[]>): QueueAdapter[] {
  const groups = shards.map((shard) => {
    const group = known.get(shard) ?? [
      new QueueAdapter(shard.deadLetters, shard, {
        description:
          'Events that could not be applied, with the error. Retry applies one again once the cause is gone.',
      }),
      new QueueAdapter(shard.events, shard, { description: 'Events on their way from the receiver to Postgres.' }),
      new QueueAdapter(shard.rejected, shard, {
        description:
          'Requests that were refused for their signature, on their way to a diagnosis. See landline rejected list.',
      }),
      // One that rests in `failed` is still wanted: it can be retried once its cause is gone.
      new QueueAdapter(shard.requests, shard, {
        description:
          'What somebody asked for in the console, until a worker has begun it. Retry asks for it once more, once the cause is gone.',
      }),
      // Its jobs only wake workers: a second one would do nothing, and Postgres says what is to be done.
      new QueueAdapter(shard.operations, shard, {
        description: 'Wakes workers for operations such as a replay; npm run landline -- operations lists them.',
        readOnlyMode: true,
      }),
    ];
    known.set(shard, group);
    return group;
  });
  return [0, 1, 2, 3, 4].flatMap((kind) => groups.flatMap((group) => group[kind] ?? []));
}
