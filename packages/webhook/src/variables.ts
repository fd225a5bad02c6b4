import { z } from 'zod';
import { cleanSecrets } from './clean-secret.ts';

const MIN_SECRET_LENGTH = 32;

const secrets = z
  .string({
    error:
      'ELEVENLABS_WEBHOOK_SECRET is not set: copy the secret that ElevenLabs shows when the webhook is made (several, newest first, separated by commas)',
  })
  .transform(cleanSecrets)
  .refine((parsed) => parsed.secrets.every((secret) => secret.length >= MIN_SECRET_LENGTH), {
    error: `every secret in ELEVENLABS_WEBHOOK_SECRET must have ${MIN_SECRET_LENGTH} characters or more (none may be empty between the commas)`,
  })
  .meta({ secret: true, cleaned: true });

/**
 * The variables of this package, as a shape for a process's schema.
 *
 * - `ELEVENLABS_WEBHOOK_SECRET` becomes `{ secrets, cut }`. Quotation marks, white space and invisible characters are
 *   removed, and the process should warn of the kinds in `cut`.
 * - `SIGNATURE_TOLERANCE_SECONDS` is the greatest age of a signature. The default is an hour: the provider's retries
 *   span 41 minutes, and the ledger makes a repeat harmless.
 */
export const webhookVariables = {
  ELEVENLABS_WEBHOOK_SECRET: secrets,
  SIGNATURE_TOLERANCE_SECONDS: z
    .string()
    .regex(/^\d{1,7}$/, 'SIGNATURE_TOLERANCE_SECONDS must be a whole number of seconds')
    .default('3600')
    .transform(Number),
};
