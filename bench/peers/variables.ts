import { z } from 'zod';

/** What a peer's processes read of their environment. */
export const variables = z
  .object({ PORT: z.coerce.number(), SECRET: z.string(), REDIS_URL: z.string(), DATABASE_URL: z.string() })
  .parse(process.env);
