import { z } from 'zod';
import { readDatabaseUrl } from './database-url.ts';

const FORM = 'postgresql://user:password@host:5432/database';

const url = (name: string, missing?: string) =>
  z
    .string(missing === undefined ? {} : { error: missing })
    .regex(/^postgres(?:ql)?:\/\/\S+$/, `${name} must read ${FORM}`)
    .superRefine((value, context) => refuseWhere(() => readDatabaseUrl(value), context));

/** The environment variables that this package is about, as a shape to build a process's schema from. */
export const storeVariables = {
  DATABASE_URL: url('DATABASE_URL', `DATABASE_URL is not set: it reads ${FORM}`),
  /** The server itself, where a pooler stands in front of it: migrations go there. */
  DIRECT_URL: z.union([z.literal(''), url('DIRECT_URL')]).default(''),
};

/** Turns what `work` throws into a fault of the variable. */
function refuseWhere(work: () => unknown, context: z.RefinementCtx): void {
  try {
    work();
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
  }
}
