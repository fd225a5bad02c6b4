import { METHODS } from 'node:http';
import type { Logger } from '@landline/process';
import type { Intake } from '@landline/intake';
import { peekType, WEBHOOK_PATH } from '@landline/webhook';
import { CANARY_TYPE } from '@landline/webhook/canary';
import { deliveryOf } from '@landline/webhook/delivery';
import { verifyBody, verifyHeader, type Refusal, type SignatureRead } from '@landline/webhook/verify';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { answer } from './answers.ts';
import { likelyCause } from './likely-cause.ts';
import type { ReceiverMetrics } from './metrics.ts';
import type { Reception } from './reception.ts';
import { ReceptionError } from './reception-error.ts';
import type { RefusalLog } from './refusal-log.ts';
import { signatureHeader } from './signature-header.ts';

const BYTES = 'application/octet-stream';
const ACCEPTED = { status: 'accepted' };

declare module 'fastify' {
  interface FastifyRequest {
    /** The signature header, once it is known to be well-formed and fresh. */
    signature: SignatureRead | null;
  }
}

/** What the route needs. */
export interface WebhookRouteOptions {
  intake: Pick<Intake, 'accept'>;
  /** Accepted keys, newest first. */
  secrets: readonly string[];
  toleranceSeconds: number;
  bodyLimitBytes: number;
  reception: Reception;
  refusals: RefusalLog;
  /** The current time in unix milliseconds. */
  now: () => number;
  logger: Logger;
  metrics: ReceiverMetrics;
}

/** Receives webhooks: verify, enqueue, 200. Nothing of the body is read before its signature is known to be good. */
export function webhookRoute(app: FastifyInstance, options: WebhookRouteOptions): void {
  const { reception, refusals, secrets } = options;
  app.decorateRequest('signature', null);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(BYTES, (request, payload, done) => reception.read(request, payload, done));
  refuseOtherMethods(app);

  app.post(WEBHOOK_PATH, {
    // Before a byte of the body is read.
    onRequest(request, reply, done) {
      if (Number(request.headers['content-length']) > options.bodyLimitBytes) {
        return done(new ReceptionError('body_too_large', 'The body was announced as larger than the limit.'));
      }
      const signature = verifyHeader(signatureHeader(request.raw), windowAt(options.now()));
      if (!signature.ok) return void refuse(reply, signature);
      request.signature = signature;
      // The bytes count, not what they are said to be: any content type, or none, is read as it is.
      request.headers['content-type'] = BYTES;
      return done();
    },
    async handler(request, reply) {
      const receivedAt = options.now();
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const { signature } = request;
      if (signature === null) throw new Error('A body was read before its header.');
      const verdict = verifyBody(body, signature, secrets);
      if (!verdict.ok) return refuse(reply, verdict, body);
      const { signedAt, secretId } = verdict;
      const event = deliveryOf(body, { receivedAt, signedAt, secretId });
      await options.intake.accept(event);
      const type = event.encoding === 'utf8' ? peekType(event.body) : 'unknown';
      if (type === CANARY_TYPE) return ACCEPTED;
      options.metrics.accepted.inc();
      options.logger.info(`📥 ElevenLabs Webhook received: ${type}`);
      return ACCEPTED;
    },
  });

  function windowAt(nowMs: number): { now: number; toleranceSeconds: number } {
    return { now: Math.floor(nowMs / 1000), toleranceSeconds: options.toleranceSeconds };
  }

  function refuse(reply: FastifyReply, { code, message }: Refusal, body?: Buffer): FastifyReply {
    const { raw, headers } = reply.request;
    const now = Math.floor(options.now() / 1000);
    refusals.refused(code, () => likelyCause({ code, header: signatureHeader(raw), headers, body, secrets, now }));
    return answer(reply, code, message);
  }
}

/** Every method that Node reads is 405 but POST. Of CONNECT Node makes no request. */
function refuseOtherMethods(app: FastifyInstance): void {
  const methods = METHODS.filter((method) => method !== 'POST' && method !== 'CONNECT');
  for (const method of methods) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
  app.route({
    method: methods,
    url: WEBHOOK_PATH,
    onRequest(_request, reply) {
      reply.header('allow', 'POST');
      answer(reply, 'method_not_allowed', 'Only POST is allowed here.');
    },
    handler: () => undefined,
  });
}
