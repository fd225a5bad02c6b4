import { cleanSecret } from '../clean-secret.ts';
import type { Cause } from './causes.ts';

/** So many secrets are tried: each costs a digest of the body for each change that is tried. */
const MAX_SECRETS = 8;

/** Another form of a secret, and what it means that the signature was made with it. */
export interface SecretForm {
  secret: string;
  cause: Cause;
}

/** Returns the secrets that are tried as they are, each once. */
export function triedSecrets(secrets: readonly string[]): string[] {
  return [...new Set(secrets)].filter((secret) => secret !== '').slice(0, MAX_SECRETS);
}

/** Returns the other forms of a secret, each once: without what a paste leaves around it, and with or without `wsec_`. */
export function secretForms(secret: string): SecretForm[] {
  const trimmed = secret.trim();
  const { secret: clean } = cleanSecret(secret);
  const bare = clean.replace(/^wsec_/, '');
  const forms: SecretForm[] = [
    { secret: trimmed, cause: 'secret_has_white_space' },
    { secret: clean, cause: 'secret_is_quoted' },
    { secret: bare, cause: 'sender_leaves_prefix_out' },
    { secret: `wsec_${bare}`, cause: 'secret_lacks_prefix' },
  ];
  const seen = new Set([secret, '', 'wsec_']);
  return forms.filter((form) => !seen.has(form.secret) && seen.add(form.secret));
}
