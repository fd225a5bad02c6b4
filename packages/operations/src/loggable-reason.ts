import { ProviderError } from '@landline/provider';
import { StoreError } from '@landline/store';
import { OperationFailedError } from './errors.ts';

/**
 * Says why an operation failed, for a log. Words of ours name a call by its id, and nothing else of it. Words of a database or of a library may quote an
 * event, so the kind and the code of their error stand for them.
 */
export function loggableReason(error: unknown): string {
  if (error instanceof ProviderError) return error.message;
  // What a cause says may be part of the message.
  if (error instanceof OperationFailedError) {
    return error.cause === undefined || error.cause instanceof ProviderError
      ? error.message
      : loggableReason(error.cause);
  }
  if (error instanceof StoreError) return `Postgres: ${error.faultClass}, ${error.code}`;
  if (!(error instanceof Error)) return 'no reason is known';
  return 'code' in error && typeof error.code === 'string' ? `${error.name}: ${error.code}` : error.name;
}
