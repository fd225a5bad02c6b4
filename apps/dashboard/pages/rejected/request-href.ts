/** The address that opens a refused request beside the list as it is filtered: that of another tab has the same filter. */
export function requestHref(search: string, id: string): string {
  const words = new URLSearchParams(search);
  words.set('request', id);
  return `/rejected?${words.toString()}`;
}
