import { port, processVariables, readVariables, type ReadVariables } from '@landline/process';
import { queueVariables } from '@landline/queue';
import { readerVariables } from '@landline/store';
import { z } from 'zod';

/** A value that a dynamic variable may have. */
const value = z.union([z.string(), z.number(), z.boolean()]);

/** Dynamic variables by their names. */
export type Variables = Readonly<Record<string, string | number | boolean>>;

const SHORTEST_TOKEN = 16;
const TOKEN_ERROR = `INITIATION_TOKEN must have ${SHORTEST_TOKEN} characters or more; openssl rand -hex 24 makes one`;
const DEFAULTS_ERROR =
  'INITIATION_DEFAULTS must be a JSON object whose values are texts, numbers or booleans, such as {"first_name": "friend"}';

/** The process's variables with their defaults. */
export const initiationVariables = z.object({
  ...readerVariables,
  ...processVariables,
  ...queueVariables,
  INITIATION_PORT: port('INITIATION_PORT').default(3003),
  HOST: z.string().default('127.0.0.1'),
  /** The token that ElevenLabs must send. Empty: the initiation refuses every request, because a stranger must not read about callers. */
  INITIATION_TOKEN: z
    .string()
    .default('')
    .refine((token) => token === '' || token.length >= SHORTEST_TOKEN, TOKEN_ERROR)
    .meta({ secret: true }),
  /** Every variable that the agents use: a call fails where one is missing. */
  INITIATION_DEFAULTS: z.string().default('{}').transform(readDefaults),
});

/** The values of the process's variables. */
export type InitiationConfig = z.infer<typeof initiationVariables>;

/** Reads the process's variables. Returns the configuration with its warnings, or the faults as text. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ReadVariables<InitiationConfig> {
  const read = readVariables(initiationVariables, env);
  if (!read.ok || read.config.READER_DATABASE_URL !== '' || read.config.DATABASE_URL !== '') return read;
  return {
    ok: false,
    faults: '✖ READER_DATABASE_URL is not set, nor is DATABASE_URL: name the database in one of them',
  };
}

function readDefaults(text: string, context: z.RefinementCtx): Variables {
  const defaults = z.record(z.string(), value).safeParse(parse(text));
  if (defaults.success) return defaults.data;
  context.addIssue({ code: 'custom', message: DEFAULTS_ERROR });
  return z.NEVER;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
