import { QueueUnavailableError } from '@landline/queue';
import { SpoolError } from '@landline/recordings';
import type { FastifyReply } from 'fastify';
import { ReceptionError } from './reception-error.ts';

/** The status of each code, the only such table: every answer on the webhook's path but 200. */
const STATUSES = {
  signature_missing: 401,
  signature_malformed: 401,
  signature_mismatch: 401,
  signature_expired: 401,
  request_malformed: 400,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  body_too_large: 413,
  headers_too_large: 431,
  unavailable: 503,
} as const;

/** The code in an answer's body. */
export type AnswerCode = keyof typeof STATUSES;

declare module 'fastify' {
  interface FastifyReply {
    /** Why the answer is not 200, for the metrics; null where it is. */
    answerCode: AnswerCode | null;
  }
}

/** How soon a sender may retry after a 503, in seconds. */
const RETRY_AFTER_SECONDS = 5;

/** Returns the status of a code. */
export function statusOf(code: AnswerCode): number {
  return STATUSES[code];
}

/** Sends the answer of a code: its status, and a body with the code and the message. */
export function answer(reply: FastifyReply, code: AnswerCode, message: string): FastifyReply {
  const status = STATUSES[code];
  reply.answerCode = code;
  if (status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS);
  return reply.code(status).send({ code, message });
}

/** Returns the same answer as the bytes of an HTTP response, for a connection on which Fastify has no request. */
export function rawAnswer(code: AnswerCode, reason: string, message: string): string {
  const body = JSON.stringify({ code, message });
  return [
    `HTTP/1.1 ${STATUSES[code]} ${reason}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}

/** Returns the code and message for an error on the way to a 200. The receiver's own faults never cost the event: they are 503. */
export function answerFor(error: unknown): { code: AnswerCode; message: string } {
  if (
    error instanceof QueueUnavailableError ||
    error instanceof SpoolError ||
    (error instanceof ReceptionError && error.statusCode === 503)
  ) {
    return { code: 'unavailable', message: 'The event could not be stored. Send it again.' };
  }
  const status: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'statusCode') : undefined;
  if (typeof status !== 'number' || status < 400 || status >= 500) {
    return { code: 'unavailable', message: 'The receiver failed. Send the event again.' };
  }
  if (status === 413) return { code: 'body_too_large', message: 'The body is larger than BODY_LIMIT_BYTES allows.' };
  if (status === 408) return { code: 'request_timeout', message: 'The body arrived too slowly. Send it again.' };
  return { code: 'request_malformed', message: 'The request is not valid HTTP.' };
}
