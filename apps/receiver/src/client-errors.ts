import type { Socket } from 'node:net';
import { rawAnswer, type AnswerCode } from './answers.ts';
import type { ReceiverMetrics } from './metrics.ts';
import type { RefusalLog } from './refusal-log.ts';

/** The answer for each code of an error by which Node rejects bytes that make no request. Every other code is answered 400. */
const ANSWERS: Readonly<Record<string, [code: AnswerCode, reason: string, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [
    'request_timeout',
    'Request Timeout',
    'The request did not arrive within REQUEST_TIMEOUT_MS.',
  ],
  HPE_HEADER_OVERFLOW: [
    'headers_too_large',
    'Request Header Fields Too Large',
    'The headers are larger than the receiver reads.',
  ],
};

/** Returns a handler that answers bytes which Node could not read as a request, and closes their connection. */
export function clientErrorHandler(refusals: RefusalLog, { rejected }: ReceiverMetrics) {
  return (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (!socket.writable) return;
    const known = ANSWERS[error.code ?? ''];
    const [code, reason, message] = known ?? ['request_malformed', 'Bad Request', 'The request is not valid HTTP.'];
    // A connection without a byte made no request: senders open some ahead of time, and monitors to check the port.
    if (code === 'request_timeout' && socket.bytesRead > 0) {
      rejected.inc({ code });
      refusals.refused(code);
    }
    socket.end(rawAnswer(code, reason, message));
    // After `end` alone the socket would stay half open for as long as the sender goes on: no time-out covers it.
    socket.destroySoon();
  };
}
