/** How many characters of one text the board shows at most: a browser asks for a job's page again every few seconds. */
const SHOWN_CHARACTERS = 262_144;

/**
 * Cuts the texts in a job's data for its page. Returns a copy in which a text longer than `SHOWN_CHARACTERS` is cut and says so.
 *
 * @param data  The job's data, which stays as it is.
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
