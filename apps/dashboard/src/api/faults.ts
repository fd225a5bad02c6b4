import { QueueUnavailableError } from '@landline/queue';
import { StoreError } from '@landline/store';
import type { z } from 'zod';

/** What an answer that is no success says; `message` says what to do. Some say more. */
export interface Fault {
  code: string;
  message: string;
}

/** An answer that is no success. */
export class ApiFault extends Error {
  readonly code = 'api_fault';
  readonly status: number;
  readonly fault: Fault;

  constructor(status: number, fault: Fault, options?: ErrorOptions) {
    super(fault.message, options);
    this.name = 'ApiFault';
    this.status = status;
    this.fault = fault;
  }
}

const POSTGRES_LATE =
  'Postgres did not answer in time. Narrow the question down, such as by since and until, or ask again.';

/**
 * Makes the fault of a question that ran out of time.
 *
 * @param found  What was found until then, where the answer says so.
 */
export function timedOut(found?: object, message = POSTGRES_LATE): ApiFault {
  return new ApiFault(504, { code: 'timed_out', message, ...found });
}

/** Makes the fault of words that cannot be meant. */
export function invalid(message: string): ApiFault {
  return new ApiFault(400, { code: 'invalid', message });
}

/** Makes the fault of a thing that is not there. */
export function missing(code: string, message: string): ApiFault {
  return new ApiFault(404, { code, message });
}

/** Reads any error as an answer. One that is nobody's fault but ours has status 500 and says nothing of its cause. */
export function faultOf(error: unknown): ApiFault {
  if (error instanceof ApiFault) return error;
  if (error instanceof StoreError) return storeFault(error);
  if (error instanceof QueueUnavailableError) {
    const message = 'Redis does not take requests. See that it runs, and ask again: nothing was changed.';
    return new ApiFault(503, { code: 'unavailable', message }, { cause: error });
  }
  const status = statusOf(error);
  if (status >= 400 && status < 500) {
    return new ApiFault(status, { code: 'invalid', message: error instanceof Error ? error.message : '' });
  }
  const message = 'The dashboard has a fault of its own: its log has more.';
  return new ApiFault(500, { code: 'internal', message }, { cause: error });
}

/** Fastify's own errors have a status, such as that of a body that is no JSON. */
function statusOf(error: unknown): number {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' ? status : 500;
}

function storeFault(error: StoreError): ApiFault {
  const cause = { cause: error };
  const { faultClass, advice = '' } = error;
  if (faultClass === 'timeout') return timedOut();
  if (faultClass === 'data') {
    return new ApiFault(400, { code: 'invalid', message: 'Postgres cannot read one of these values.' }, cause);
  }
  if (faultClass === 'unknown' || faultClass === 'corruption') {
    const message = 'Postgres answered with an error. The log of the dashboard has its code.';
    return new ApiFault(500, { code: 'internal', message }, cause);
  }
  const message = `Postgres does not answer: see that it runs, and that READER_DATABASE_URL is right. ${advice}`.trim();
  return new ApiFault(503, { code: 'unavailable', message }, cause);
}

/** Names each word that cannot be meant. Our own schemas name it themselves; those of zod do not. */
export function describeIssues({ issues }: z.core.$ZodError): string {
  const texts = issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') return `${issue.keys.join(', ')}: there is no such word`;
    const name = issue.path.join('.');
    return name === '' || issue.message.startsWith(name) ? issue.message : `${name}: ${issue.message}`;
  });
  return `${[...new Set(texts)].join('. ')}.`;
}
