import { z } from 'zod';
import { readDatabaseUrl } from './connection/database-url.ts';

const FORM = 'postgresql://user:password@host:5432/database';

/** The environment variables that this package is about, as a shape to build a process's schema from. */
export const storeVariables = {
  DATABASE_URL: z
    .string({ error: `DATABASE_URL is not set: it reads ${FORM}` })
    .superRefine((url, context) => checkUrl('DATABASE_URL', url, context))
    .meta({ secret: true }),
  /** The server itself, where a pooler stands in front of it: migrations go there. Empty: DATABASE_URL. */
  DIRECT_URL: optionalUrl('DIRECT_URL'),
};

/** The variables of a process that only reads, as a shape. Empty: not set; one of them must be. */
export const readerVariables = {
  /** The role that may only read. */
  READER_DATABASE_URL: optionalUrl('READER_DATABASE_URL'),
  /** Taken where there is no other, in transactions that are read only. */
  DATABASE_URL: optionalUrl('DATABASE_URL'),
};

function optionalUrl(name: string) {
  return z
    .string()
    .default('')
    .superRefine((url, context) => {
      if (url !== '') checkUrl(name, url, context);
    })
    .meta({ secret: true });
}

function checkUrl(name: string, url: string, context: z.RefinementCtx): void {
  const refuse = (message: string) => context.addIssue({ code: 'custom', message });
  if (!/^postgres(?:ql)?:\/\/\S+$/.test(url)) return refuse(`${name} must read ${FORM}`);
  try {
    readDatabaseUrl(url);
  } catch (error) {
    refuse(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
