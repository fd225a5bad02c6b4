import { z } from 'zod';

const blankToUndefined = (value: unknown): unknown => (value === '' ? undefined : value);

interface WholeNumber {
  unit: string;
  min: number;
  max: number;
  fallback: number;
}

function wholeNumber(name: string, { unit, min, max, fallback }: WholeNumber) {
  const error = `${name} must be a whole number of ${unit} from ${min} to ${max}`;
  const digits = z
    .string({ error })
    .regex(/^\d{1,9}$/, error)
    .transform(Number)
    .refine((value) => value >= min && value <= max, error);
  return z.preprocess(blankToUndefined, digits.default(fallback));
}

/** The environment variables of this package, as a shape to build a process's schema from. An empty string counts as not set. */
export const intakeVariables = {
  BATCH_MAX_EVENTS: wholeNumber('BATCH_MAX_EVENTS', { unit: 'events', min: 1, max: 10_000, fallback: 200 }),
  BATCH_MAX_BYTES: wholeNumber('BATCH_MAX_BYTES', { unit: 'bytes', min: 1024, max: 67_108_864, fallback: 1_048_576 }),
  ENQUEUE_TIMEOUT_MS: wholeNumber('ENQUEUE_TIMEOUT_MS', { unit: 'milliseconds', min: 10, max: 60_000, fallback: 1000 }),
};
