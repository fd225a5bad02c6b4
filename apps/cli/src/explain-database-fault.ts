/** Of what Prisma says about a raw query that failed, the part that is Postgres' own. */
export function explainDatabaseFault(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /Message: `(?<said>[^]*)`/.exec(message)?.groups?.['said'] ?? message.trim();
}
