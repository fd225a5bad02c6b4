/** What a change of the query takes away or sets. */
export type QueryChange = Record<string, string | undefined>;

/** The query string with a change in it: '' and undefined take a word out. The order of the others stays. */
export function changedQuery(search: string, change: QueryChange): string {
  const words = new URLSearchParams(search);
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined || value === '') words.delete(name);
    else words.set(name, value);
  }
  const text = words.toString();
  return text === '' ? '' : `?${text}`;
}
