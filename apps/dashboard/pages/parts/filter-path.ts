/** Makes a path of the API from the words of the address that belong to its filter. Others, such as what is open, stay out. */
export function filterPath(path: string, query: Readonly<Record<string, string>>, words: readonly string[]): string {
  const search = new URLSearchParams(filterOf(query, words)).toString();
  return search === '' ? path : `${path}?${search}`;
}

/** The words of a filter that an address has. */
export function filterOf(query: Readonly<Record<string, string>>, words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.flatMap((word) => {
      const value = query[word];
      return value === undefined || value === '' ? [] : [[word, value]];
    }),
  );
}
