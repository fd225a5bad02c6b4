/** The limit of accepting: Fastify with the raw body and its HMAC, and the answer at once. Nothing is queued. */
import { serveWebhooks } from '../peers/serve-webhooks.ts';

await serveWebhooks(() => undefined);
