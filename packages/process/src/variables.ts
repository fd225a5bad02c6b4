import { z } from 'zod';

/** The variables of every process, as a shape to build its schema from. */
export const processVariables = {
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      error: 'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace and silent',
    })
    .default('info'),
};

/**
 * A variable that is a whole number, in digits alone.
 *
 * @param name   Its name, for the message.
 * @param range  Its unit and the least and the greatest value that make sense.
 */
export function wholeNumber(name: string, { unit, min, max }: { unit: string; min: number; max: number }) {
  const error = `${name} must be a whole number of ${unit} from ${min} to ${max}`;
  return z
    .string({ error })
    .regex(/^\d{1,10}$/, error)
    .transform(Number)
    .refine((value) => value >= min && value <= max, error);
}

/** A TCP port; 0 lets the system choose. */
export function port(name: string) {
  return wholeNumber(name, { unit: 'a TCP port', min: 0, max: 65_535 });
}

/** A process's configuration, or every fault at once as text for the operator. */
export type ReadVariables<T> = { ok: true; config: T } | { ok: false; faults: string };

/**
 * Reads a process's variables; an empty one counts as not set.
 *
 * @param schema  The variables with their forms and defaults.
 * @param env     `process.env`, or what a test puts in its place.
 * @returns       The configuration or the faults; never a value of a variable.
 */
export function readVariables<T extends z.ZodType>(
  schema: T,
  env: Readonly<Record<string, string | undefined>>,
): ReadVariables<z.infer<T>> {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(present);
  return parsed.success ? { ok: true, config: parsed.data } : { ok: false, faults: z.prettifyError(parsed.error) };
}
