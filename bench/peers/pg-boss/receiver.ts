/** One pg-boss job an event. */
import { deliveryOf } from '../delivery-of.ts';
import { serveWebhooks } from '../serve-webhooks.ts';
import { variables } from '../variables.ts';
import { openBoss, QUEUE } from './queue.ts';

const boss = await openBoss(variables.DATABASE_URL);
await serveWebhooks(
  (body, signedAt) => boss.send(QUEUE, deliveryOf(body, signedAt)),
  () => boss.stop(),
);
