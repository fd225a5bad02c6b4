import type { Environment } from './env-file.ts';
import { hasProviderKey } from './has-provider-key.ts';

/**
 * Answers whether the monitor runs. `keyless`: MONITOR asks for it, and there is no key of the provider's API. `invalid`: MONITOR is neither on
 * nor off, so the monitor would refuse to start.
 */
export function monitorState(env: Environment): 'on' | 'off' | 'keyless' | 'invalid' {
  if (!env['MONITOR'] || env['MONITOR'] === 'off') return 'off';
  if (env['MONITOR'] !== 'on') return 'invalid';
  return hasProviderKey(env) ? 'on' : 'keyless';
}
