/** Characters of one text that are shown, at most: the page of a job is asked for again every few seconds. */
const SHOWN_CHARACTERS = 262_144;

/**
 * Makes of a job's data what its page shows: the same, but for texts that are longer than `SHOWN_CHARACTERS`, which are cut and say so.
 *
 * @param data  Whatever the job carries; it is not changed.
 */
export function cutBodies(data: unknown): unknown {
  if (typeof data === 'string') return cut(data);
  if (Array.isArray(data)) return data.map(cutBodies);
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, cutBodies(value)]));
}

function cut(text: string): string {
  if (text.length <= SHOWN_CHARACTERS) return text;
  return `${text.slice(0, SHOWN_CHARACTERS)}… (${SHOWN_CHARACTERS} of ${text.length} characters are shown; the job has all of them)`;
}
