import { METHODS } from 'node:http';
import type { Logger } from '@landline/process';
import type { Intake } from '@landline/intake';
import { peekType, WEBHOOK_PATH } from '@landline/webhook';
import { CANARY_TYPE } from '@landline/webhook/canary';
import { deliveryOf } from '@landline/webhook/delivery';
import { verifyBody, verifyHeader, type Refusal, type SignatureRead } from '@landline/webhook/verify';
import type { FastifyInstance, FastifyReply, onRequestHookHandler, RouteHandlerMethod } from 'fastify';
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
    /** The signature header, once it was found well-formed and fresh; null before. */
    signature: SignatureRead | null;
  }
}

/** Dependencies and limits of the webhook's route. */
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

/** Adds the webhook's route: verify, accept, 200. The receiver parses no byte of a body before its signature is verified. */
export function webhookRoute(app: FastifyInstance, options: WebhookRouteOptions): void {
  app.decorateRequest('signature', null);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(BYTES, (request, payload, done) => options.reception.read(request, payload, done));
  refuseOtherMethods(app);
  const refuse = refuseSignature(options);
  app.post(WEBHOOK_PATH, { onRequest: checkHeader(options, refuse), handler: acceptBody(options, refuse) });
}

/** Answers a request whose signature is not good; `body` is undefined where none was read. */
type Refuse = (reply: FastifyReply, refusal: Refusal, body?: Buffer) => FastifyReply;

function refuseSignature({ refusals, secrets, now }: WebhookRouteOptions): Refuse {
  return (reply, { code, message }, body) => {
    const { raw, headers } = reply.request;
    const seconds = Math.floor(now() / 1000);
    refusals.refused(code, () =>
      likelyCause({ code, header: signatureHeader(raw), headers, body, secrets, now: seconds }),
    );
    return answer(reply, code, message);
  };
}

/** Checks the announced length and the signature header, before the receiver reads a byte of the body. */
function checkHeader(
  { bodyLimitBytes, toleranceSeconds, now }: WebhookRouteOptions,
  refuse: Refuse,
): onRequestHookHandler {
  return (request, reply, done) => {
    if (Number(request.headers['content-length']) > bodyLimitBytes) {
      return done(new ReceptionError('body_too_large', 'The body was announced as larger than the limit.'));
    }
    const signature = verifyHeader(signatureHeader(request.raw), { now: Math.floor(now() / 1000), toleranceSeconds });
    if (!signature.ok) return void refuse(reply, signature);
    request.signature = signature;
    // The receiver reads a body of any content type, or of none, as bytes.
    request.headers['content-type'] = BYTES;
    return done();
  };
}

/** Verifies the body, and answers 200 once the intake has made the event durable. */
function acceptBody(options: WebhookRouteOptions, refuse: Refuse): RouteHandlerMethod {
  const { intake, secrets, now, logger, metrics } = options;
  return async (request, reply) => {
    const receivedAt = now();
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const { signature } = request;
    if (signature === null) throw new Error('A body was read before its header.');
    const verdict = verifyBody(body, signature, secrets);
    if (!verdict.ok) return refuse(reply, verdict, body);
    const { signedAt, secretId } = verdict;
    const event = deliveryOf(body, { receivedAt, signedAt, secretId });
    await intake.accept(event);
    const type = event.encoding === 'utf8' ? peekType(event.body) : 'unknown';
    if (type === CANARY_TYPE) return ACCEPTED;
    metrics.accepted.inc();
    logger.info(`📥 ElevenLabs Webhook received: ${type}`);
    return ACCEPTED;
  };
}

/** Answers every method but POST with 405. CONNECT is not among them: Node makes no request of it. */
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
