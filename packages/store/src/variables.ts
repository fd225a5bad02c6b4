import { z } from 'zod';

/** The environment variables that this package is about, as a shape to build a process's schema from. */
export const storeVariables = {
  DATABASE_URL: z
    .string({ error: 'DATABASE_URL is not set: it reads postgresql://user:password@host:5432/database' })
    .regex(/^postgres(?:ql)?:\/\/\S+$/, 'DATABASE_URL must read postgresql://user:password@host:5432/database')
    .meta({ secret: true }),
};
