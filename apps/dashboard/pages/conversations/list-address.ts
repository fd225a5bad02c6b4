/** The query of the list as it was seen last: the way back leads to the same view. */
let last = '';

/** Notes the list's query. */
export function noteList(search: string): void {
  last = search;
}

/** The address of the list as it was seen last. */
export function listAddress(): string {
  return `/conversations${last}`;
}
