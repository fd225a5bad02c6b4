/** Writes unix ms as the API does. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** The same for a time that may be missing. */
export function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}
