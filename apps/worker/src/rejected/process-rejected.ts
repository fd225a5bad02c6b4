import type { RejectedRequest } from '@landline/queue';
import { HandBackError } from '@landline/queue/errors';
import { StoreError, type RejectedRow, type RejectedTable } from '@landline/store';
import type { RefusedRequest } from '@landline/webhook/diagnose';
import type { SignatureFault } from '@landline/webhook/verify';
import { FAULT_POLICY } from '../fault-policy.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { diagnoseInTurns } from './diagnose-in-turns.ts';
import type { Pace } from './pace.ts';

/** How long a request waits in the queue before it is tried again, where the database did not take it, in ms. */
const HAND_BACK_MS = 10_000;

/** What requests that were refused are diagnosed with. */
export interface Diagnosing {
  /** Accepted keys; none: each cause is `unknown`. */
  secrets: readonly string[];
  /** The greatest age of a signature, in seconds. */
  toleranceSeconds: number;
}

/** What `processRejected` works with. */
export interface RejectedContext {
  diagnosing: Diagnosing;
  store: Pick<RejectedTable, 'keepRejected'>;
  metrics: Pick<WorkerMetrics, 'diagnosed'>;
  pace: Pace;
}

/**
 * Processes one job of the queue of refused requests: diagnoses the request, and writes its row. It never closes the gate before the
 * database, and waits for nobody: events come first.
 *
 * @throws HandBackError where the database does not take the row now; StoreError where it never will.
 */
export async function processRejected(
  request: RejectedRequest,
  signal: AbortSignal,
  context: RejectedContext,
): Promise<void> {
  const body = request.body === null ? null : Buffer.from(request.body, request.encoding);
  const diagnosis = await context.pace.run(async (spent) => {
    const done = await diagnoseInTurns(refusedRequest(request, body, context.diagnosing));
    spent(done.spentMs);
    return done.diagnosis;
  }, signal);
  const { cause, message, advice } = diagnosis;
  const { v: _version, encoding: _encoding, ...fields } = request;
  await keep(context.store, { ...fields, body, cause, advice: `${message} ${advice}`, readmittedAt: null });
  context.metrics.diagnosed.inc({ cause });
}

function refusedRequest(request: RejectedRequest, body: Buffer | null, diagnosing: Diagnosing): RefusedRequest {
  const { header, headers, bodyBytes, receivedAt, code } = request;
  return {
    ...diagnosing,
    header: header ?? undefined,
    headers,
    body: body ?? undefined,
    bodyBytes: bodyBytes ?? undefined,
    receivedAt: Math.floor(receivedAt / 1000),
    code: CODES.find((known) => known === code),
  };
}

const CODES: readonly SignatureFault[] = [
  'signature_missing',
  'signature_malformed',
  'signature_mismatch',
  'signature_expired',
];

async function keep(store: RejectedContext['store'], row: RejectedRow): Promise<void> {
  try {
    await store.keepRejected(row);
  } catch (error) {
    if (!(error instanceof StoreError) || FAULT_POLICY[error.faultClass].action === 'isolate') throw error;
    throw new HandBackError('The database does not take a refused request now.', {
      cause: error,
      delayMs: HAND_BACK_MS,
    });
  }
}
