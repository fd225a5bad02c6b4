import type { ActiveSpan, SpanAttributes, Tracing } from '@landline/process';
import { WEBHOOK_PATH } from '@landline/webhook';
import type { FastifyRequest } from 'fastify';
import { answerFor, statusOf } from './answers.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** When the header was checked, by `performance.now()`; 0 where nobody makes traces. */
    beganAt: number;
  }
}

/** The span of a request whose signature is good. */
export interface ReceiveSpan {
  /** What the event carries, so that the span of its transaction can link to this one. */
  readonly traceparent: string | undefined;
  /** Ends the span: the event is durable. `isSpooled`: in the spool, which moves it on. */
  accepted(isSpooled: boolean): void;
  /** Ends the span: the event could not be stored, and the answer is not 200. */
  failed(error: unknown): void;
}

/**
 * Begins the span of a request whose signature is good. It is the first of a trace of its own, with a link to the span that the sender names.
 *
 * @param type  Of the event, as the log names it.
 */
export function beginReceiveSpan(tracing: Tracing, request: FastifyRequest, type: string): ReceiveSpan {
  const { traceparent } = request.headers;
  const span = tracing.begin({
    name: `POST ${WEBHOOK_PATH}`,
    kind: 'server',
    attributes: attributesOf(request, type),
    links: typeof traceparent === 'string' ? [{ traceparent }] : [],
    beganAt: request.beganAt,
  });
  return {
    traceparent: span.traceparent,
    accepted: (isSpooled) => end(span, { status: 200, outcome: isSpooled ? 'spooled' : 'accepted' }),
    failed(error) {
      const code = error instanceof Error ? error.name : typeof error;
      end(span, { status: statusOf(answerFor(error).code), outcome: 'unavailable', error: code });
    },
  };
}

/** Follows the semantic conventions of HTTP. The sender's address and what it says of itself are left out. */
function attributesOf({ raw, headers }: FastifyRequest, type: string): SpanAttributes {
  const length = headers['content-length'];
  return {
    'http.request.method': 'POST',
    'http.route': WEBHOOK_PATH,
    'url.path': WEBHOOK_PATH,
    'url.scheme': 'http',
    'network.protocol.version': raw.httpVersion,
    ...(length !== undefined && { 'http.request.body.size': Number(length) }),
    'landline.event.type': type,
  };
}

interface Ended {
  status: number;
  outcome: 'accepted' | 'spooled' | 'unavailable';
  error?: string;
}

function end(span: ActiveSpan, { status, outcome, error }: Ended): void {
  const attributes = { 'http.response.status_code': status, 'landline.outcome': outcome };
  span.end({ attributes, ...(error !== undefined && { error }) });
}
