import type { BeforeHook } from '@bull-board/api/typings/app';

/**
 * What an operator may do from the board, by Bull Board's own route names: look, apply again, hold, go on.
 * A list of what is allowed, not of what is forbidden: a route that the next version of Bull Board adds is refused.
 */
const PERMITTED = new Set([
  'put /api/queues/:queueName/:jobId/retry',
  'put /api/queues/:queueName/retry/:queueStatus',
  'put /api/queues/:queueName/:jobId/promote',
  'put /api/queues/:queueName/promote',
  'put /api/queues/:queueName/pause',
  'put /api/queues/:queueName/resume',
  'put /api/queues/pause',
  'put /api/queues/resume',
]);

const REASON =
  'Refused: from this board events can be looked at, retried, promoted, paused and resumed. ' +
  'Deleting, emptying or changing them would lose what a caller said, and nothing is dropped in silence.';

/**
 * Runs before each of Bull Board's API routes and refuses, with 403 and the reason, what could lose an event
 * (clean, empty, obliterate), forge or alter one (add, update-data), or throttle the line (rate limit, concurrency).
 */
export const permitOnlyLossless: BeforeHook = ({ method, route }) =>
  method === 'get' || PERMITTED.has(`${method} ${route}`)
    ? { allow: true }
    : { allow: false, status: 403, message: REASON };
