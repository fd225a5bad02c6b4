import { ProviderError } from '../errors.ts';

/**
 * Writes an id as a segment of a path. An id may be any text: it comes from events.
 *
 * @throws  ProviderError `not_found` for an id that no path can hold: `.` and `..` would lead elsewhere.
 */
export function inPath(id: string): string {
  if (id === '' || id === '.' || id === '..')
    throw new ProviderError('not_found', `ElevenLabs has nothing of the id "${id}".`);
  return encodeURIComponent(id.toWellFormed());
}
