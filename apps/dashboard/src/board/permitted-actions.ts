import type { BeforeHook } from '@bull-board/api/typings/app';

/**
 * The changes that an operator may make from the board, by Bull Board's own route names: retry, promote, pause, resume.
 * It lists what is allowed, so that the dashboard refuses a route that a later version of Bull Board adds.
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
 * Runs before each of Bull Board's API routes. It refuses these with 403 and the reason:
 *
 * - clean, empty, obliterate: they could lose an event.
 * - add, update-data: they could forge or alter an event.
 * - rate limit, concurrency: they could slow the worker down.
 */
export const permitOnlyLossless: BeforeHook = ({ method, route }) =>
  method === 'get' || PERMITTED.has(`${method} ${route}`)
    ? { allow: true }
    : { allow: false, status: 403, message: REASON };
