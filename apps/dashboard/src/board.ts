import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { OpenQueues } from '@landline/queue';
import type { FastifyPluginCallback } from 'fastify';
import { cutBodies } from './cut-bodies.ts';
import { permitOnlyLossless } from './permitted-actions.ts';

/** The queues that the board shows. */
export type BoardQueues = Pick<OpenQueues, 'events' | 'deadLetters' | 'list'>;

type ListedQueue = OpenQueues['events'];

/** Bull Board's own adapter, except that its lists do not read large bodies from Redis. */
class QueueAdapter extends BullMQAdapter {
  readonly #queue: ListedQueue;
  readonly #list: OpenQueues['list'];

  constructor(queue: ListedQueue, list: OpenQueues['list'], description: string) {
    super(queue, { description });
    this.#queue = queue;
    this.#list = list;
    this.setFormatter('data', cutBodies);
  }

  override getJobs(...[states, start = 0, end = -1]: Parameters<BullMQAdapter['getJobs']>) {
    return this.#list(this.#queue, { states: states.filter((state) => state !== 'paused'), start, end });
  }
}

/** Makes Bull Board over both queues, as a plugin for Fastify. */
export function board({ events, deadLetters, list }: BoardQueues): FastifyPluginCallback {
  const serverAdapter = new FastifyAdapter();
  createBullBoard({
    queues: [
      new QueueAdapter(
        deadLetters,
        list,
        'Events that could not be applied, with the error. Retry applies one again once the cause is gone.',
      ),
      new QueueAdapter(events, list, 'Events on their way from the receiver to Postgres.'),
    ],
    serverAdapter,
    options: {
      handlerHooks: { before: permitOnlyLossless },
      uiConfig: { boardTitle: 'Landline', hideDocsLink: true },
    },
  });
  return serverAdapter.registerPlugin();
}
