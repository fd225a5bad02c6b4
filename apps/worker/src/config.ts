import {
  operationVariables,
  readPolicy,
  reconcileVariables,
  retentionVariables,
  type RetentionPolicy,
} from '@landline/operations';
import { port, processVariables, readVariables, wholeNumber, type ReadVariables } from '@landline/process';
import { providerVariables } from '@landline/provider';
import { queueVariables } from '@landline/queue';
import { recordingVariables } from '@landline/recordings';
import { storeVariables } from '@landline/store';
import { webhookVariables } from '@landline/webhook';
import { z } from 'zod';

/** The worker's variables with their defaults. */
export const workerVariables = z.object({
  ...storeVariables,
  ...processVariables,
  ...queueVariables,
  ...operationVariables,
  ...retentionVariables,
  ...providerVariables,
  ...reconcileVariables,
  /** Fetched audio waits there until it is stored and enqueued, as large bodies do at a receiver. */
  SPOOL_DIR: recordingVariables.SPOOL_DIR,
  SPOOL_LIMIT_BYTES: recordingVariables.SPOOL_LIMIT_BYTES,
  BODY_LIMIT_BYTES: recordingVariables.BODY_LIMIT_BYTES,
  SIGNATURE_TOLERANCE_SECONDS: webhookVariables.SIGNATURE_TOLERANCE_SECONDS,
  /** For the diagnosis of refused requests alone: a worker without it, or with one that no receiver takes, applies events all the same. */
  ELEVENLABS_WEBHOOK_SECRET: webhookVariables.ELEVENLABS_WEBHOOK_SECRET.optional()
    .catch(undefined)
    .meta({ secret: true, cleaned: true }),
  WORKER_PORT: port('WORKER_PORT').default(3002),
  HOST: z.string().default('0.0.0.0'),
  /** Jobs that wait together share a transaction, so more in hand means larger ones, not more connections. */
  WORKER_CONCURRENCY: wholeNumber('WORKER_CONCURRENCY', { unit: 'jobs', min: 1, max: 1_000 }).default(32),
});

/** What the worker needs to start. */
export type WorkerConfig = z.infer<typeof workerVariables> & {
  /** What the variables of retention say together. */
  retention: RetentionPolicy;
};

/** Reads the worker's variables. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ReadVariables<WorkerConfig> {
  const read = readVariables(workerVariables, env);
  if (!read.ok) return read;
  const retention = readPolicy(read.config);
  if (typeof retention === 'string') return { ok: false, faults: `✖ ${retention}` };
  return { ...read, config: { ...read.config, retention } };
}
