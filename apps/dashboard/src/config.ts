import { port, processVariables, readVariables, wholeNumber, type ReadVariables } from '@landline/process';
import { queueVariables } from '@landline/queue';
import { recordingVariables } from '@landline/recordings';
import { readerVariables } from '@landline/store';
import { z } from 'zod';

const passwordError =
  'DASHBOARD_PASSWORD must have 12 characters or more: it is the login of the dashboard, and there is no default. ' +
  'One can be made with: openssl rand -base64 24';

const SHORTEST_TOKEN = 16;
const tokenError = `API_TOKEN must have ${SHORTEST_TOKEN} characters or more, without spaces; openssl rand -hex 24 makes one`;

/**
 * The dashboard's variables, with their defaults. The password has none, because the dashboard shows what callers said.
 *
 * - `DASHBOARD_PORT` TCP port.
 * - `HOST` address to bind. The default is loopback: the login alone does not make the dashboard fit for the internet.
 * - `DASHBOARD_USER`, `DASHBOARD_PASSWORD` the one login. A colon cannot be part of a user name in HTTP Basic (RFC 7617).
 * - `READER_DATABASE_URL`, else `DATABASE_URL`, what the console reads. Without both there is Bull Board alone.
 * - `API_TOKEN` lets scripts into /api/v1. Empty: they need the login.
 * - `RECORDINGS_URL` where recordings are played from.
 * - `JOURNAL_RETENTION_HOURS` as the receivers have it: an erasure tells by when their journals have forgotten.
 */
export const dashboardVariables = z.object({
  ...processVariables,
  ...queueVariables,
  ...readerVariables,
  DASHBOARD_PORT: port('DASHBOARD_PORT').default(3001),
  HOST: z.string().default('127.0.0.1'),
  DASHBOARD_USER: z
    .string()
    .regex(/^[^:]+$/, 'DASHBOARD_USER must not have a colon in it')
    .default('admin'),
  DASHBOARD_PASSWORD: z.string(passwordError).min(12, passwordError).meta({ secret: true }),
  API_TOKEN: z
    .string()
    .default('')
    .refine((token) => token === '' || /^\S{16,}$/.test(token), tokenError)
    .meta({ secret: true }),
  RECORDINGS_URL: recordingVariables.RECORDINGS_URL,
  JOURNAL_RETENTION_HOURS: wholeNumber('JOURNAL_RETENTION_HOURS', { unit: 'hours', min: 1, max: 8760 }).default(24),
});

/** The values of the dashboard's variables. */
export type DashboardConfig = z.infer<typeof dashboardVariables>;

/** Reads the dashboard's variables. Returns the configuration with its warnings, or the faults as text. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ReadVariables<DashboardConfig> {
  const read = readVariables(dashboardVariables, env);
  if (!read.ok) return read;
  const warnings = [...(read.warnings ?? []), ...databaseWarnings(read.config)];
  return { ...read, ...(warnings.length > 0 && { warnings }) };
}

function databaseWarnings({ READER_DATABASE_URL: reader, DATABASE_URL: own }: DashboardConfig): string[] {
  if (reader !== '') return [];
  if (own === '') {
    return ['The console has no database: READER_DATABASE_URL is not set. There is Bull Board alone, under /queues.'];
  }
  return [
    'READER_DATABASE_URL is not set: the console reads by DATABASE_URL, in read-only transactions. A role that may only read is safer.',
  ];
}
