import { createHash } from 'node:crypto';
import { METHODS } from 'node:http';
import type { Logger, Tracing } from '@landline/process';
import type { Intake } from '@landline/intake';
import type { ActivityWriter } from '@landline/queue';
import { SpoolError, type BodyWriter, type Spool } from '@landline/recordings';
import { keyOfHash, peekType, WEBHOOK_PATH } from '@landline/webhook';
import { CANARY_TYPE } from '@landline/webhook/canary';
import { bodyAsKept, deliveryOf, type Receipt } from '@landline/webhook/delivery';
import { diagnose } from '@landline/webhook/diagnose';
import {
  verifyBody,
  verifyHeader,
  type Refusal,
  type SignatureFault,
  type SignatureRead,
} from '@landline/webhook/verify';
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler, RouteHandlerMethod } from 'fastify';
import { answer } from './answers.ts';
import { continueReading } from './expect-continue.ts';
import type { LargeBody } from './large-body.ts';
import type { ReceiverMetrics } from './metrics.ts';
import { beginReceiveSpan } from './receive-span.ts';
import type { Reception } from './reception.ts';
import { SMALL_BYTES } from './reception-budget.ts';
import { ReceptionError } from './reception-error.ts';
import type { RefusalLog } from './refusal-log.ts';
import type { RefusedBody, Rejections } from './rejected/rejections.ts';
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
  spool: Pick<Spool, 'begin' | 'hasRoomFor'>;
  /** Accepted keys, newest first. */
  secrets: readonly string[];
  toleranceSeconds: number;
  bodyLimitBytes: number;
  reception: Reception;
  refusals: RefusalLog;
  /** Keeps what is refused for its signature; undefined: nothing does. */
  rejections?: Pick<Rejections, 'note'> | undefined;
  /** The current time in unix milliseconds. */
  now: () => number;
  logger: Logger;
  metrics: ReceiverMetrics;
  /** Counts for the console; undefined: nothing does. */
  activity?: Pick<ActivityWriter, 'count'> | undefined;
  /** Undefined where nobody makes traces. */
  tracing?: Tracing | undefined;
}

/** Adds the webhook's route: verify, accept, 200. The receiver parses no byte of a body before its signature is verified. */
export function webhookRoute(app: FastifyInstance, options: WebhookRouteOptions): void {
  app.decorateRequest('signature', null);
  app.decorateRequest('beganAt', 0);
  app.decorateRequest('isCollected', false);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(BYTES, (request, payload, done) => options.reception.read(request, payload, done));
  refuseOtherMethods(app);
  const refuse = refuseSignature(options);
  app.post(WEBHOOK_PATH, { onRequest: checkHeader(options, refuse), handler: acceptBody(options, refuse) });
}

/** Answers a request whose signature is not good. */
type Refuse = (reply: FastifyReply, refusal: Refusal, body: RefusedBody) => FastifyReply;

function refuseSignature({ refusals, rejections, ...options }: WebhookRouteOptions): Refuse {
  return (reply, { code, message }, body) => {
    refusals.refused(code, () => likelyCause(reply.request, code, { ...options, body }));
    rejections?.note(reply.request, code, body);
    return answer(reply, code, message);
  };
}

const UNREAD: RefusedBody = { kind: 'unread' };

interface Diagnosed extends Pick<WebhookRouteOptions, 'secrets' | 'toleranceSeconds' | 'now'> {
  body: RefusedBody;
}

/** Names the likely cause of a 401, for the log. The text holds nothing of the body, the signature or a secret. */
function likelyCause(
  { raw, headers }: FastifyRequest,
  code: SignatureFault,
  { body, secrets, toleranceSeconds, now }: Diagnosed,
): string {
  const receivedAt = Math.floor(now() / 1000);
  const request = { code, header: signatureHeader(raw), headers, secrets, receivedAt, toleranceSeconds };
  return diagnose({ ...request, ...bytesOf(body) }, { effort: 'short' }).message;
}

function bytesOf(body: RefusedBody): { body: Buffer | undefined; bodyBytes?: number } {
  if (body.kind === 'unread') return { body: undefined };
  if (body.kind === 'small') return { body: Buffer.concat(body.pieces) };
  return { body: Buffer.alloc(0), bodyBytes: body.body.bytes() };
}

/** Checks the announced length and the signature header, before the receiver reads a byte of the body. */
function checkHeader(
  { bodyLimitBytes, toleranceSeconds, now, spool, tracing }: WebhookRouteOptions,
  refuse: Refuse,
): onRequestHookHandler {
  return (request, reply, done) => {
    const announced = Number(request.headers['content-length']);
    if (announced > bodyLimitBytes) {
      return done(new ReceptionError('body_too_large', 'The body was announced as larger than the limit.'));
    }
    const signature = verifyHeader(signatureHeader(request.raw), { now: Math.floor(now() / 1000), toleranceSeconds });
    if (!signature.ok) return void refuse(reply, signature, UNREAD);
    if (announced > SMALL_BYTES && !spool.hasRoomFor(announced)) {
      return done(new ReceptionError('reception_full', 'The spool has no room for the announced body.'));
    }
    request.signature = signature;
    if (tracing !== undefined) request.beganAt = performance.now();
    continueReading(request.raw);
    // The receiver reads a body of any content type, or of none, as bytes.
    request.headers['content-type'] = BYTES;
    return done();
  };
}

/** Verifies the body, and answers 200 once the event is durable: in the queue, or a large one in the spool. */
function acceptBody(options: WebhookRouteOptions, refuse: Refuse): RouteHandlerMethod {
  const { intake, secrets, now, tracing } = options;
  return async (request, reply) => {
    const receivedAt = now();
    const { body, signature } = request;
    if (signature === null) throw new Error('A body was read before its header.');
    if (isLargeBody(body)) return acceptLarge(body, { receivedAt, reply, refuse, options });
    const pieces = arePieces(body) ? body : [];
    const verdict = verifyBody(pieces, signature, secrets);
    if (!verdict.ok) return refuse(reply, verdict, { kind: 'small', pieces });
    const { signedAt, secretId } = verdict;
    const event = deliveryOf(pieces, { receivedAt, signedAt, secretId });
    const type = event.encoding === 'utf8' ? peekType(bodyAsKept(event)) : 'unknown';
    const span = tracing && beginReceiveSpan(tracing, request, type);
    if (span?.traceparent !== undefined) event.traceparent = span.traceparent;
    try {
      const isSpooled = type === AUDIO_TYPE && (await keepInSpool(options.spool, pieces, event));
      if (!isSpooled) await intake.accept(event);
      span?.accepted(isSpooled);
    } catch (error) {
      span?.failed(error);
      throw error;
    }
    if (type !== CANARY_TYPE) noteAccepted(options, type);
    return ACCEPTED;
  };
}

/** The event whose body holds the audio of a call. */
const AUDIO_TYPE = 'post_call_audio';

function isLargeBody(body: unknown): body is LargeBody {
  return typeof body === 'object' && body !== null && 'keep' in body;
}

function arePieces(body: unknown): body is readonly Buffer[] {
  return Array.isArray(body);
}

function noteAccepted({ metrics, activity, logger }: WebhookRouteOptions, type: string): void {
  metrics.accepted.inc();
  activity?.count('accepted');
  logger.info(`📥 ElevenLabs Webhook received: ${type}`);
}

interface LargeContext {
  receivedAt: number;
  reply: FastifyReply;
  refuse: Refuse;
  options: WebhookRouteOptions;
}

async function acceptLarge(body: LargeBody, { receivedAt, reply, refuse, options }: LargeContext) {
  const verdict = body.verdict();
  if (!verdict.ok) {
    refuse(reply, verdict, { kind: 'large', body });
    body.discard();
    return reply;
  }
  const { signedAt, secretId } = verdict;
  const type = peekType(body.ends());
  const span = options.tracing && beginReceiveSpan(options.tracing, reply.request, type);
  try {
    await body.keep({ receivedAt, signedAt, secretId, traceparent: span?.traceparent });
    span?.accepted(true);
  } catch (error) {
    span?.failed(error);
    throw error;
  }
  noteAccepted(options, type);
  return ACCEPTED;
}

/**
 * Keeps a small body with audio in the spool, which has the audio stored. Returns false where the spool has no room: the event then
 * goes through the queue with its audio in it.
 */
async function keepInSpool(
  spool: Pick<Spool, 'begin'>,
  pieces: readonly Buffer[],
  { receivedAt, signedAt, secretId, traceparent }: Receipt,
): Promise<boolean> {
  let writer: BodyWriter | undefined;
  try {
    writer = spool.begin({ isLarge: false });
    const digest = createHash('sha256');
    for (const piece of pieces) {
      digest.update(piece);
      // oxlint-disable-next-line no-await-in-loop -- piece after piece
      await writer.write(piece);
    }
    const sha256 = digest.digest('hex');
    const receipt = { receivedAt, signedAt, secretId, traceparent };
    await writer.keep({ ...receipt, eventId: keyOfHash(sha256), sha256, bytes: writer.bytes });
    return true;
  } catch (error) {
    await writer?.discard();
    if (error instanceof SpoolError) return false;
    throw error;
  }
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
