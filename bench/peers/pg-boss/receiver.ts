/** One pg-boss job for each event. */
import { receivedNow } from '../received-now.ts';
import { serveWebhooks } from '../serve-webhooks.ts';
import { variables } from '../variables.ts';
import { openBoss, QUEUE } from './queue.ts';

const boss = await openBoss(variables.DATABASE_URL);
await serveWebhooks(
  (body, signedAt) => boss.send(QUEUE, receivedNow(body, signedAt)),
  () => boss.stop(),
);
