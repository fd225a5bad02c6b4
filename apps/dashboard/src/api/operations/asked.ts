import { QueueUnavailableError, type AskedStart } from '@landline/queue';
import type { OperationItem } from '../contract/operations.ts';
import type { ApiPorts } from '../ports.ts';
import { iso } from '../shown-time.ts';

const FAILED =
  'The workers have given this request up: see the failed jobs of the queue webhook-requests under /queues. There it can be retried; cancelling takes it out.';

/** Shows an operation that somebody has asked for and that no worker has begun: the request stands in its row's place. */
export function askedOperation({ request, sentAt, hasFailed }: AskedStart): OperationItem {
  const { id, kind, filter, total = null, rate = null, requestedBy } = request;
  const at = iso(sentAt);
  return {
    id,
    kind,
    filter,
    total,
    rate,
    requested_by: requestedBy,
    status: 'asked',
    done: 0,
    failed: 0,
    message: hasFailed ? FAILED : null,
    created_at: at,
    started_at: null,
    updated_at: at,
    finished_at: null,
    cancel_requested_at: null,
  };
}

/** Lists those that no worker has begun, the newest first. While Redis is away there are none to be seen, and the rows are shown all the same. */
export async function askedOperations(requests: Pick<ApiPorts['requests'], 'starts'>): Promise<OperationItem[]> {
  try {
    return (await requests.starts()).map(askedOperation);
  } catch (error) {
    if (error instanceof QueueUnavailableError) return [];
    throw error;
  }
}
