/** The usual second design: one BullMQ job for each event. */
import { receivedNow } from '../received-now.ts';
import { serveWebhooks } from '../serve-webhooks.ts';
import { variables } from '../variables.ts';
import { openQueue, QUEUE } from './queue.ts';

const queue = openQueue(variables.REDIS_URL);
await serveWebhooks(
  (body, signedAt) => queue.add(QUEUE, receivedNow(body, signedAt)),
  () => queue.close(),
);
