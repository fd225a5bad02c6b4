const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Tells whether a text is a uuid. Postgres would answer any other with an error, and there is no row of it. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Tells whether Postgres can hold a text. No row has an id that it cannot. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}
