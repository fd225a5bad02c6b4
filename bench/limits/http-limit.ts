/** The limit of accepting: Fastify with the raw body and its HMAC, and the answer at once. Nothing is queued. */
import { serve } from '../peers/serve.ts';
import { variables } from '../peers/variables.ts';
import { createWebhookApp } from '../peers/webhook-app.ts';

await serve(
  createWebhookApp(variables.SECRET, () => undefined),
  variables.PORT,
);
