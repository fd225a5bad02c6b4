import { z } from 'zod';

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
export const journalVariables = {
  /** A folder on a disk of this machine. Empty means no journal. */
  JOURNAL_DIR: z.string().default(''),
  /** The limit of everything in the folder. */
  JOURNAL_LIMIT_BYTES: wholeNumber('JOURNAL_LIMIT_BYTES', {
    unit: 'bytes',
    min: MEBIBYTE,
    max: 1024 * 1024 * MEBIBYTE,
  }).default(4096 * MEBIBYTE),
  /** How long the journal keeps groups that Redis has, in case Redis loses them. */
  JOURNAL_RETENTION_HOURS: wholeNumber('JOURNAL_RETENTION_HOURS', { unit: 'hours', min: 1, max: 8760 }).default(24),
};
