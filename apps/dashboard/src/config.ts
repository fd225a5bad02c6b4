import { port, processVariables, readVariables, type ReadVariables } from '@landline/process';
import { queueVariables } from '@landline/queue';
import { z } from 'zod';

const passwordError =
  'DASHBOARD_PASSWORD must have 12 characters or more: it is the login of the dashboard, and there is no default. ' +
  'One can be made with: openssl rand -base64 24';

/**
 * The dashboard's variables, with their defaults. The password has none, because the board shows what callers said.
 *
 * - `DASHBOARD_PORT` TCP port.
 * - `HOST` address to bind. The default is loopback: the login alone does not make the dashboard fit for the internet.
 * - `DASHBOARD_USER`, `DASHBOARD_PASSWORD` the one login. A colon cannot be part of a user name in HTTP Basic (RFC 7617).
 */
export const dashboardVariables = z.object({
  ...processVariables,
  ...queueVariables,
  DASHBOARD_PORT: port('DASHBOARD_PORT').default(3001),
  HOST: z.string().default('127.0.0.1'),
  DASHBOARD_USER: z
    .string()
    .regex(/^[^:]+$/, 'DASHBOARD_USER must not have a colon in it')
    .default('admin'),
  DASHBOARD_PASSWORD: z.string(passwordError).min(12, passwordError).meta({ secret: true }),
});

/** The values of the dashboard's variables. */
export type DashboardConfig = z.infer<typeof dashboardVariables>;

/** Reads the dashboard's variables. Returns the configuration with its warnings, or the faults as text. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ReadVariables<DashboardConfig> {
  return readVariables(dashboardVariables, env);
}
