import { collectDefaultMetrics, Counter, Registry } from 'prom-client';

/** What the receiver counts. */
export interface ReceiverMetrics {
  registry: Registry;
  /** Events answered 200. */
  accepted: Counter;
  /** Requests to the webhook's path answered otherwise, by code. */
  rejected: Counter<'code'>;
}

/** Makes the receiver's metrics in a registry of their own. */
export function createMetrics(): ReceiverMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    accepted: new Counter({
      name: 'landline_events_accepted_total',
      help: 'Events verified, durable and answered 200.',
      registers: [registry],
    }),
    rejected: new Counter({
      name: 'landline_events_rejected_total',
      help: 'Requests to the webhook path that were not answered 200, by code.',
      labelNames: ['code'],
      registers: [registry],
    }),
  };
}
