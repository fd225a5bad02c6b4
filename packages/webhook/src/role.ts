import type { Fields } from './fields.ts';

const ROLES: ReadonlyMap<string, 'user' | 'agent' | 'system'> = new Map([
  ['user', 'user'],
  ['agent', 'agent'],
  ['assistant', 'agent'],
  ['system', 'system'],
]);

/** Who spoke, from a field `role`, else from the `speaker` or `speaker_name` that some senders write in its place; null where it is none of the roles we know (it is then left in the rest). */
export function readRole(fields: Fields): 'user' | 'agent' | 'system' | null {
  return fields.oneOf(ROLES, 'role', 'speaker', 'speaker_name') ?? null;
}
