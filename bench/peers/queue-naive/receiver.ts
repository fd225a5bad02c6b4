/** Where most people go next: one BullMQ job an event. */
import { openRedisQueue } from '../bullmq-queue.ts';
import { deliveryOf } from '../delivery-of.ts';
import { serve } from '../serve.ts';
import { variables } from '../variables.ts';
import { createWebhookApp } from '../webhook-app.ts';

const queue = openRedisQueue(variables.REDIS_URL);
const app = createWebhookApp(variables.SECRET, (body, signedAt) => queue.add(deliveryOf(body, signedAt)));
await serve(app, variables.PORT, queue.close);
