import { collectDefaultMetrics, Counter, Registry } from 'prom-client';

/** What the worker counts. */
export interface WorkerMetrics {
  registry: Registry;
  /** Events processed, by outcome: applied, ignored or duplicate. */
  processed: Counter<'outcome'>;
  /** Attempts at jobs that failed; `final` where the job rests in `failed`. */
  failedAttempts: Counter<'final'>;
  /** Events made dead letters, by code. */
  dead: Counter<'code'>;
}

/** Makes the worker's metrics in a registry of their own. */
export function createMetrics(): WorkerMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    processed: new Counter({
      name: 'landline_events_processed_total',
      help: 'Events taken from the queue and recorded, by outcome: applied, ignored or duplicate.',
      labelNames: ['outcome'],
      registers: [registry],
    }),
    failedAttempts: new Counter({
      name: 'landline_job_attempts_failed_total',
      help: 'Attempts at jobs of the webhook queue that failed; final where the job now rests in failed.',
      labelNames: ['final'],
      registers: [registry],
    }),
    dead: new Counter({
      name: 'landline_events_dead_total',
      help: 'Events made dead letters, by code.',
      labelNames: ['code'],
      registers: [registry],
    }),
  };
}
