import type { Fields } from './fields.ts';

const ROLES: ReadonlyMap<string, 'user' | 'agent' | 'system'> = new Map([
  ['user', 'user'],
  ['agent', 'agent'],
  ['assistant', 'agent'],
  ['system', 'system'],
]);

/**
 * Reads the speaker of a message from `role`, else from `speaker` or `speaker_name`, which some senders use. Returns
 * null for an unknown role, which stays in `rest()`.
 */
export function readRole(fields: Fields): 'user' | 'agent' | 'system' | null {
  return fields.oneOf(ROLES, 'role', 'speaker', 'speaker_name') ?? null;
}
