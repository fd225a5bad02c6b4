import { z } from 'zod';

/** The environment variables of a peer's processes. */
export const variables = z
  .object({ PORT: z.coerce.number(), SECRET: z.string(), REDIS_URL: z.string(), DATABASE_URL: z.string() })
  .parse(process.env);
