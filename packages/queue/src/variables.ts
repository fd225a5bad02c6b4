import { z } from 'zod';
import { readRedisUrl } from './servers/redis-address.ts';
import { MAX_SHARDS } from './servers/shard-places.ts';

const blankToUndefined = (value: unknown): unknown => (value === '' ? undefined : value);

const caError = 'REDIS_CA must be certificates in PEM; REDIS_CA_FILE names a file that holds them';
const shardsError = `QUEUE_SHARDS must be a whole number of shards from 1 to ${MAX_SHARDS}`;

const redisUrl = z.string().superRefine((value, context) => {
  const read = readRedisUrl(value);
  if ('fault' in read) context.addIssue({ code: 'custom', message: read.fault, input: undefined });
});

/** The environment variables of this package, as a shape to build a process's schema from. An empty string counts as not set. */
export const queueVariables = {
  REDIS_URL: z.preprocess(blankToUndefined, redisUrl.default('redis://127.0.0.1:6379')).meta({ secret: true }), // it may hold a password
  /** No secret, but marked as one: so `REDIS_CA_FILE` names a file that holds it. */
  REDIS_CA: z
    .preprocess(blankToUndefined, z.string(caError).includes('-----BEGIN CERTIFICATE-----', caError).optional())
    .meta({ secret: true }),
  QUEUE_SHARDS: z.preprocess(
    blankToUndefined,
    z
      .string(shardsError)
      .regex(/^\d{1,3}$/, shardsError)
      .transform(Number)
      .refine((value) => value >= 1 && value <= MAX_SHARDS, shardsError)
      .optional(),
  ),
};
