/** The id of a line's element. Keys come from payloads, and an id may be any text without spaces. */
export function lineId(key: string): string {
  return `line-${encodeURIComponent(key)}`;
}
