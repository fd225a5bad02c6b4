import { z } from 'zod';
import { parseStorageUrl } from './storage/storage-url.ts';

const MEBIBYTE = 1024 * 1024;

function wholeNumber(name: string, { unit, min, max }: { unit: string; min: number; max: number }) {
  const error = `${name} must be a whole number of ${unit} from ${min} to ${max}`;
  return z
    .string({ error })
    .regex(/^\d{1,15}$/, error)
    .transform(Number)
    .refine((value) => value >= min && value <= max, error);
}

/** The variables of this package, as a shape for a process's schema. */
export const recordingVariables = {
  /** A folder on a disk of this machine. Bodies above 1 MiB and all audio wait in it until they are stored and enqueued. */
  SPOOL_DIR: z.string().min(1, 'SPOOL_DIR must be a folder on a disk of this machine').default('.data/spool'),
  /** The limit of everything in the folder. */
  SPOOL_LIMIT_BYTES: wholeNumber('SPOOL_LIMIT_BYTES', {
    unit: 'bytes',
    min: 16 * MEBIBYTE,
    max: 1024 * 1024 * MEBIBYTE,
  }).default(8192 * MEBIBYTE),
  /**
   * The largest body of an event, in bytes: what a receiver takes, and what a worker fetches. A transcript has 10 to 100 KB; audio has about 1.4 MB for each
   * minute of the call, so 256 MiB are three hours.
   */
  BODY_LIMIT_BYTES: wholeNumber('BODY_LIMIT_BYTES', { unit: 'bytes', min: 1024, max: 4096 * MEBIBYTE }).default(
    256 * MEBIBYTE,
  ),
  /** Where recordings are kept: `file:<folder>` or `s3://<bucket>/<prefix>?endpoint=…&region=…`. Empty: they are not kept. */
  RECORDINGS_URL: z.string().check(checkStorageUrl).default(''),
};

/** A check of zod: an empty text is fine. The message never repeats the URL, which may hold a password by mistake. */
function checkStorageUrl({ value, issues }: z.core.ParsePayload<string>): void {
  if (value === '') return;
  try {
    parseStorageUrl(value);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    issues.push({ code: 'custom', message: `RECORDINGS_URL cannot be used. ${message}`, input: '' });
  }
}
