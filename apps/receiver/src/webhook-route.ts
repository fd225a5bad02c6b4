import type { IncomingMessage } from 'node:http';
import type { Logger } from '@landline/process';
import type { Producer } from '@landline/queue';
import { peekType, SIGNATURE_HEADER, verify, verifyHeader, type Refusal } from '@landline/webhook';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { answer } from './answers.ts';
import { deliveredEvent } from './delivered-event.ts';
import { limitReception } from './limit-reception.ts';
import type { ReceiverMetrics } from './metrics.ts';

/** Where ElevenLabs sends its webhooks. */
export const WEBHOOK_PATH = '/api/elevenlabs/webhook';

const ACCEPTED = { status: 'accepted' };

/** What the route needs. */
export interface WebhookRouteOptions {
  producer: Pick<Producer, 'enqueue'>;
  /** Accepted keys, newest first. */
  secrets: readonly string[];
  toleranceSeconds: number;
  /** How many bytes of bodies may be under way at once. */
  maxReceivingBytes?: number | undefined;
  /** The current time in unix milliseconds. */
  now: () => number;
  logger: Logger;
  metrics: ReceiverMetrics;
}

/** Receives webhooks: verify, enqueue, 200. Nothing of the body is read before its signature is known to be good. */
export function webhookRoute(app: FastifyInstance, options: WebhookRouteOptions): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  app.addHook('onRequest', async (request, reply) => {
    if (pathOf(request.url) !== WEBHOOK_PATH) return undefined;
    if (request.method !== 'POST') {
      reply.header('allow', 'POST');
      return answer(reply, 'method_not_allowed', 'Only POST is allowed here.');
    }
    // The bytes count, not what they are said to be: any content type, or none, is read as it is.
    request.headers['content-type'] = 'application/octet-stream';
    return undefined;
  });

  limitReception(app, {
    maxBytes: options.maxReceivingBytes,
    refuse: (request, reply) => {
      const refusal = verifyHeader(signatureOf(request.raw), windowAt(options.now()));
      return refusal && refuse(reply, refusal);
    },
  });

  app.post(WEBHOOK_PATH, async (request, reply) => {
    const receivedAt = options.now();
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const window = windowAt(receivedAt);
    const verdict = verify(body, signatureOf(request.raw), { secrets: options.secrets, ...window });
    if (!verdict.ok) return refuse(reply, verdict);
    const event = deliveredEvent(body, verdict, receivedAt);
    await options.producer.enqueue(event);
    options.metrics.accepted.inc();
    const type = event.encoding === 'utf8' ? peekType(event.body) : 'unknown';
    options.logger.info(`📥 ElevenLabs Webhook received: ${type}`);
    return ACCEPTED;
  });

  function windowAt(nowMs: number): { now: number; toleranceSeconds: number } {
    return { now: Math.floor(nowMs / 1000), toleranceSeconds: options.toleranceSeconds };
  }

  function refuse(reply: FastifyReply, { code, message }: Refusal): FastifyReply {
    options.logger.warn({ code }, 'ElevenLabs Webhook refused');
    return answer(reply, code, message);
  }
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/** Node joins a repeated header into one, so it is looked for among the raw ones. */
function signatureOf(request: IncomingMessage): string | string[] | undefined {
  const values = request.rawHeaders.filter(
    (_, i) => i % 2 === 1 && request.rawHeaders[i - 1]?.toLowerCase() === SIGNATURE_HEADER,
  );
  return values.length > 1 ? values : values[0];
}
