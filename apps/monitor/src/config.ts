import { port, processVariables, readVariables, type ReadVariables } from '@landline/process';
import { providerVariables } from '@landline/provider';
import { WEBHOOK_PATH, webhookVariables } from '@landline/webhook';
import { z } from 'zod';

/** The process's variables with their defaults. */
export const monitorVariables = z.object({
  ...processVariables,
  /** Off: the process says so and ends well, whatever else is set. */
  MONITOR: z.enum(['on', 'off'], 'MONITOR must be on or off').default('off'),
  MONITOR_PORT: port('MONITOR_PORT').default(3005),
  HOST: z.string().default('127.0.0.1'),
  /** Where the events go: our own receiver. Unset: the one of this machine, at PORT. */
  MONITOR_WEBHOOK_URL: z
    .url({
      protocol: /^https?$/,
      error: `MONITOR_WEBHOOK_URL must be a URL such as http://receiver:3000${WEBHOOK_PATH}`,
    })
    .optional(),
  PORT: port('PORT').default(3000),
  ELEVENLABS_WEBHOOK_SECRET: webhookVariables.ELEVENLABS_WEBHOOK_SECRET,
  ELEVENLABS_API_KEY: providerVariables.ELEVENLABS_API_KEY,
  ELEVENLABS_API_URL: providerVariables.ELEVENLABS_API_URL,
});

/** What the monitor needs to run. */
export interface MonitorConfig {
  logLevel: string;
  port: number;
  host: string;
  webhookUrl: string;
  /** The newest secret: the receiver takes it as long as it takes any. */
  secret: string;
  provider: { apiKey: string; url: string };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the process's variables. `off` where MONITOR is not `on`: nothing else is read then. */
export function readConfig(env: Environment): ReadVariables<MonitorConfig> | 'off' {
  const whether = readVariables(monitorVariables.pick({ MONITOR: true }), env);
  if (!whether.ok) return whether;
  if (whether.config.MONITOR === 'off') return 'off';
  const read = readVariables(monitorVariables, env);
  if (!read.ok) return read;
  const { ELEVENLABS_API_KEY: apiKey, ELEVENLABS_WEBHOOK_SECRET, ...config } = read.config;
  if (apiKey === undefined) {
    return { ok: false, faults: '✖ ELEVENLABS_API_KEY is not set: the monitor asks the provider which calls run' };
  }
  return {
    ...read,
    config: {
      logLevel: config.LOG_LEVEL,
      port: config.MONITOR_PORT,
      host: config.HOST,
      webhookUrl: config.MONITOR_WEBHOOK_URL ?? `http://127.0.0.1:${config.PORT}${WEBHOOK_PATH}`,
      secret: ELEVENLABS_WEBHOOK_SECRET.secrets[0] ?? '',
      provider: { apiKey, url: config.ELEVENLABS_API_URL },
    },
  };
}
