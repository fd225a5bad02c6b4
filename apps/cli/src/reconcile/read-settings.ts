import { operationVariables, reconcileVariables, retentionVariables } from '@landline/operations';
import { readVariables } from '@landline/process';
import { providerVariables } from '@landline/provider';
import { z } from 'zod';
import { CliError } from '../errors.ts';
import { recordingsUrl } from '../start/data-folders.ts';
import type { Environment } from '../start/env-file.ts';
import { readServices } from '../start/services-file.ts';

const shape = z.object({
  ...providerVariables,
  ...reconcileVariables,
  ...operationVariables,
  CONVERSATION_RETENTION_DAYS: retentionVariables.CONVERSATION_RETENTION_DAYS,
  RECORDING_RETENTION_DAYS: retentionVariables.RECORDING_RETENTION_DAYS,
});

/** By what calls are compared: what the worker reads from the same variables. */
export interface ReconcileSettings {
  apiKey: string;
  apiUrl: string;
  windowHours: number;
  /** Whether audio is kept: RECORDINGS_URL is set. */
  keepsAudio: boolean;
  keptDays: { conversations?: number | undefined; recordings?: number | undefined };
}

const NO_KEY =
  'ELEVENLABS_API_KEY is not set, so ElevenLabs cannot be asked what it has. Make a key there that may read conversations, and set it in .env or as ELEVENLABS_API_KEY_FILE, for the workers as well: docs/nothing-missing.md says how.';

/** Reads by what calls are compared. @throws {CliError} `configuration_invalid`: there is no key, or a variable cannot be meant */
export async function readSettings(root: string, env: Environment): Promise<ReconcileSettings> {
  const read = readVariables(shape, await withRecordings(root, env));
  if (!read.ok) throw new CliError('configuration_invalid', read.faults);
  const { config } = read;
  if (config.ELEVENLABS_API_KEY === undefined) throw new CliError('configuration_invalid', NO_KEY);
  return {
    apiKey: config.ELEVENLABS_API_KEY,
    apiUrl: config.ELEVENLABS_API_URL,
    windowHours: config.RECONCILE_WINDOW_HOURS,
    keepsAudio: config.RECORDINGS_URL !== '',
    keptDays: { conversations: config.CONVERSATION_RETENTION_DAYS, recordings: config.RECORDING_RETENTION_DAYS },
  };
}

/** A running `npm start` keeps recordings where RECORDINGS_URL is not set. */
async function withRecordings(root: string, env: Environment): Promise<Environment> {
  if (env['RECORDINGS_URL'] !== undefined || (await readServices(root)) === undefined) return env;
  return { ...env, RECORDINGS_URL: recordingsUrl(root) };
}
