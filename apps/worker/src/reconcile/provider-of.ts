import { fetchedSpool, largestBody } from '@landline/recordings';
import type { WorkerConfig } from '../config.ts';
import type { ProviderSettings } from './open-reconciling.ts';

const MINUTE_MS = 60_000;

/** Returns what the variables say of the provider; undefined where there is no key. */
export function providerOf(config: WorkerConfig): ProviderSettings | undefined {
  const { ELEVENLABS_API_KEY: apiKey, retention } = config;
  if (apiKey === undefined) return undefined;
  return {
    apiKey,
    apiUrl: config.ELEVENLABS_API_URL,
    publicUrl: config.PUBLIC_URL,
    everyMs: config.RECONCILE_INTERVAL_MINUTES * MINUTE_MS,
    windowHours: config.RECONCILE_WINDOW_HOURS,
    keptDays: { conversations: retention.conversations, recordings: retention.recordings },
    spoolDir: fetchedSpool(config.SPOOL_DIR),
    spoolLimitBytes: config.SPOOL_LIMIT_BYTES,
    // What never fits into the spool would end the audio of every run.
    eventLimitBytes: Math.min(config.BODY_LIMIT_BYTES, largestBody(config.SPOOL_LIMIT_BYTES)),
  };
}
