import type { Socket } from 'node:net';
import { rawAnswer, type AnswerCode } from './answers.ts';
import type { ReceiverMetrics } from './metrics.ts';
import type { RefusalLog } from './refusal-log.ts';

/** Answers by what Node says of a connection on which it could make no request of the bytes; all else is 400. */
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

/** Answers a request that never became one, and closes its connection. */
export function clientErrorHandler(refusals: RefusalLog, { rejected }: ReceiverMetrics) {
  return (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (!socket.writable) return;
    const known = ANSWERS[error.code ?? ''];
    const [code, reason, message] = known ?? ['request_malformed', 'Bad Request', 'The request is not valid HTTP.'];
    // Where not a byte came there was no request: whoever opens connections ahead of time, or to see whether a port answers.
    if (code === 'request_timeout' && socket.bytesRead > 0) {
      rejected.inc({ code });
      refusals.refused(code);
    }
    socket.end(rawAnswer(code, reason, message));
    // Only ended, it would stay half open for as long as a sender goes on, and nothing looks at it again.
    socket.destroySoon();
  };
}
