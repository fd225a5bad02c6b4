import { inspect } from 'node:util';
import { expect, onTestFinished } from 'vitest';
import { openStorage } from '../../../src/storage/open-storage.ts';
import { type Storage } from '../../../src/storage/storage.ts';
import { BUCKET } from './s3-servers.ts';

/** Opens the storage of a server for the running test. */
export function open(origin: string, { idleLimitMs = 10_000, bucket = BUCKET } = {}): Storage {
  const storage = openStorage(`s3://${bucket}?endpoint=${origin}`, { idleLimitMs });
  onTestFinished(() => storage.close());
  return storage;
}

/** Returns the error of an operation, after a look whether it holds a credential or a signature anywhere. */
export async function errorOf(operation: Promise<unknown>): Promise<unknown> {
  const error: unknown = await operation.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const text = inspect(error, { depth: 10, showHidden: true });
  expect(text).not.toMatch(/S3RVER|secret of nobody|key of nobody|Signature=|X-Amz-Signature/);
  return error;
}
