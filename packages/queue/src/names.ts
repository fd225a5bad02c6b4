/** The queue of jobs that the receiver writes and the worker applies. */
export const WEBHOOK_QUEUE = 'webhook-events';

/** The queue in which events that cannot be applied rest, in `failed`, one event to a job. */
export const DEAD_LETTER_QUEUE = 'webhook-dead-letter';

/** The queue that wakes workers for operations and for what recurs. Its jobs hold nothing: Postgres knows what is to be done. */
export const OPERATIONS_QUEUE = 'webhook-operations';

/** The queue of requests that the receiver refused for their signature, and the worker diagnoses. */
export const REJECTED_QUEUE = 'webhook-rejected';

/** The queue of what somebody asked for in the console; its jobs are data, and one job is one request. */
export const REQUESTS_QUEUE = 'webhook-requests';

/** The key, behind the prefix, of when the newest canary was sent that reached the ledger. */
export const CANARY_KEY = 'canary';

/** Leads every key. The braces are a hash tag: in a Redis Cluster all keys of a queue must be in one slot. */
export const QUEUE_PREFIX = '{landline}';
