import type { Environment } from './env-file.ts';

/** Answers whether there is a key of the provider's API, or the file of one. */
export function hasProviderKey(env: Environment): boolean {
  return Boolean(env['ELEVENLABS_API_KEY'] || env['ELEVENLABS_API_KEY_FILE']);
}
