/** One pg-boss job an event. */
import { deliveryOf } from '../delivery-of.ts';
import { serve } from '../serve.ts';
import { variables } from '../variables.ts';
import { createWebhookApp } from '../webhook-app.ts';
import { openBoss, QUEUE } from './queue.ts';

const boss = await openBoss(variables.DATABASE_URL);
const app = createWebhookApp(variables.SECRET, (body, signedAt) => boss.send(QUEUE, deliveryOf(body, signedAt)));
await serve(app, variables.PORT, () => boss.stop());
