import { z } from 'zod';

const blankToUndefined = (value: unknown): unknown => (value === '' ? undefined : value);

function isRedisUrl(value: string): boolean {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  return url !== undefined && /^rediss?:$/.test(url.protocol) && url.hostname !== '' && /^(\/\d*)?$/.test(url.pathname);
}

const redisUrlError = 'REDIS_URL must look like redis://[user:password@]host:port[/database], or rediss:// for TLS';

/** The environment variable of this package, as a shape to build a process's schema from. An empty string counts as not set. */
export const queueVariables = {
  REDIS_URL: z
    .preprocess(
      blankToUndefined,
      z.string({ error: redisUrlError }).refine(isRedisUrl, redisUrlError).default('redis://127.0.0.1:6379'),
    )
    .meta({ secret: true }), // it may hold a password
};
