import { readSecret } from '@landline/process';
import { webhookVariables } from '@landline/webhook';
import { CliError } from './errors.ts';
import type { Environment } from './start/env-file.ts';

/** What a command verifies signatures with, as the receiver does. */
export interface WebhookSecrets {
  /** Accepted keys, newest first. */
  secrets: readonly string[];
  /** The greatest age of a signature, in seconds. */
  toleranceSeconds: number;
}

/**
 * Reads ELEVENLABS_WEBHOOK_SECRET, or its file, and SIGNATURE_TOLERANCE_SECONDS.
 *
 * @throws {CliError} `configuration_invalid`. SecretFileError: the file cannot be read.
 */
export function readWebhookSecrets(env: Environment): WebhookSecrets {
  const read = webhookVariables.ELEVENLABS_WEBHOOK_SECRET.safeParse(readSecret('ELEVENLABS_WEBHOOK_SECRET', env));
  if (!read.success)
    throw new CliError('configuration_invalid', read.error.issues.map(({ message }) => message).join('\n'));
  return { secrets: read.data.secrets, toleranceSeconds: readTolerance(env) };
}

/** Reads SIGNATURE_TOLERANCE_SECONDS. @throws {CliError} `configuration_invalid` */
export function readTolerance(env: Environment): number {
  const read = webhookVariables.SIGNATURE_TOLERANCE_SECONDS.safeParse(env['SIGNATURE_TOLERANCE_SECONDS'] || undefined);
  if (read.success) return read.data;
  throw new CliError('configuration_invalid', read.error.issues.map(({ message }) => message).join('\n'));
}
