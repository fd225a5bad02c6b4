import type { IncomingMessage } from 'node:http';
import type { Logger } from '@landline/process';
import type { Producer } from '@landline/queue';
import { CANARY_TYPE, peekType, SIGNATURE_HEADER, verify, verifyHeader, type Refusal } from '@landline/webhook';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { answer } from './answers.ts';
import { deliveredEvent } from './delivered-event.ts';
import { limitReception } from './limit-reception.ts';
import type { ReceiverMetrics } from './metrics.ts';

/** Where ElevenLabs sends its webhooks. */
export const WEBHOOK_PATH = '/api/elevenlabs/webhook';

/** What the log says of a delivery that was answered 4xx. */
export const REFUSED = 'ElevenLabs Webhook refused';

const BYTES = 'application/octet-stream';
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
  app.addContentTypeParser(BYTES, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  app.addHook('onRequest', (request, reply, done) => {
    if (request.url !== WEBHOOK_PATH && pathOf(request.url) !== WEBHOOK_PATH) return done();
    if (request.method !== 'POST') {
      reply.header('allow', 'POST');
      return void answer(reply, 'method_not_allowed', 'Only POST is allowed here.');
    }
    // The bytes count, not what they are said to be: any content type, or none, is read as it is.
    request.headers['content-type'] = BYTES;
    return done();
  });

  limitReception(app, {
    maxBytes: options.maxReceivingBytes,
    refusalOf: ({ raw }) => verifyHeader(signatureOf(raw), windowAt(options.now())),
    refuse: (reply, refusal) => void refuse(reply, refusal),
  });

  app.post(WEBHOOK_PATH, async (request, reply) => {
    const receivedAt = options.now();
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const window = windowAt(receivedAt);
    const verdict = verify(body, signatureOf(request.raw), { secrets: options.secrets, ...window });
    if (!verdict.ok) return refuse(reply, verdict);
    const event = deliveredEvent(body, verdict, receivedAt);
    await options.producer.enqueue(event);
    const type = event.encoding === 'utf8' ? peekType(event.body) : 'unknown';
    if (type === CANARY_TYPE) return ACCEPTED;
    options.metrics.accepted.inc();
    options.logger.info(`📥 ElevenLabs Webhook received: ${type}`);
    return ACCEPTED;
  });

  function windowAt(nowMs: number): { now: number; toleranceSeconds: number } {
    return { now: Math.floor(nowMs / 1000), toleranceSeconds: options.toleranceSeconds };
  }

  function refuse(reply: FastifyReply, { code, message }: Refusal): FastifyReply {
    options.logger.warn({ code }, REFUSED);
    return answer(reply, code, message);
  }
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/** Node joins a repeated header into one, so it is looked for among the raw ones. */
function signatureOf({ rawHeaders }: IncomingMessage): string | string[] | undefined {
  const values: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length === SIGNATURE_HEADER.length && name.toLowerCase() === SIGNATURE_HEADER) {
      values.push(rawHeaders[i + 1] ?? '');
    }
  }
  return values.length > 1 ? values : values[0];
}
