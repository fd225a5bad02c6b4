import { z } from 'zod';
import { describePasted } from './pasted.ts';
import { readSecret, SecretFileError } from './secret-file.ts';

/** The variables of every process, as a shape for its schema. */
export const processVariables = {
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      error: 'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace and silent',
    })
    .default('info'),
};

/**
 * Makes the schema of a variable that is a whole number, in digits alone.
 *
 * @param name   Its name, for the message.
 * @param range  Its unit, and its least and greatest value.
 */
export function wholeNumber(name: string, { unit, min, max }: { unit: string; min: number; max: number }) {
  const error = `${name} must be a whole number of ${unit} from ${min} to ${max}`;
  return z
    .string({ error })
    .regex(/^\d{1,10}$/, error)
    .transform(Number)
    .refine((value) => value >= min && value <= max, error);
}

/** Makes the schema of a TCP port. With 0 the system chooses a port. */
export function port(name: string) {
  return wholeNumber(name, { unit: 'a TCP port', min: 0, max: 65_535 });
}

/**
 * A process's configuration, or every fault at once as text for the operator. `warnings` are sentences to log about
 * secrets that seem badly pasted. They never hold the secret.
 */
export type ReadVariables<T> = { ok: true; config: T; warnings?: string[] } | { ok: false; faults: string };

/**
 * Reads a process's variables; an empty variable counts as not set.
 *
 * - A variable whose schema ends in `.meta({ secret: true })` may also come from a file, which `<NAME>_FILE` names.
 * - With `cleaned: true` beside it, the schema itself removes what a paste leaves around the value.
 *
 * @param schema  The variables with their forms and defaults.
 * @param env     `process.env`, or a test's own.
 * @returns       The configuration or the faults; never a value of a variable.
 */
export function readVariables<T extends z.ZodObject>(
  schema: T,
  env: Readonly<Record<string, string | undefined>>,
): ReadVariables<z.infer<T>> {
  const secrets = readSecrets(secretsOf(schema), env);
  const present = Object.fromEntries(Object.entries({ ...env, ...secrets.values }).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(present);
  const { faults, warnings } = secrets;
  if (parsed.success && faults.length === 0) {
    return { ok: true, config: parsed.data, ...(warnings.length > 0 && { warnings }) };
  }
  const unread = new Set(faults.map(({ name }) => name));
  const issues = parsed.error?.issues.filter(({ path }) => !unread.has(String(path[0]))) ?? [];
  const lines = [...faults.map(({ message }) => message), ...warnings].map((line) => `✖ ${line}`);
  const others = issues.length === 0 ? [] : [z.prettifyError({ issues })];
  return { ok: false, faults: [...others, ...lines].join('\n') };
}

interface SecretVariable {
  name: string;
  isCleaned: boolean;
}

function secretsOf(schema: z.ZodObject): SecretVariable[] {
  const variables: [string, unknown][] = Object.entries(schema.shape);
  return variables.flatMap(([name, type]) => {
    const marks = type instanceof z.ZodType ? type.meta() : undefined;
    return marks?.['secret'] === true ? [{ name, isCleaned: marks['cleaned'] === true }] : [];
  });
}

function readSecrets(secrets: readonly SecretVariable[], env: Readonly<Record<string, string | undefined>>) {
  const values: Record<string, string | undefined> = {};
  const faults: { name: string; message: string }[] = [];
  const warnings: string[] = [];
  for (const { name, isCleaned } of secrets) {
    try {
      const value = readSecret(name, env);
      values[name] = value;
      const warning = value === undefined || isCleaned ? undefined : describePasted(name, value);
      if (warning !== undefined) warnings.push(warning);
    } catch (error) {
      if (!(error instanceof SecretFileError)) throw error;
      faults.push({ name, message: error.message });
    }
  }
  return { values, faults, warnings };
}
