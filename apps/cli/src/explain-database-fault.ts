/** Extracts Postgres' own message from Prisma's error about a raw query. Another error's message is returned as it is. */
export function explainDatabaseFault(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /Message: `(?<said>[^]*)`/.exec(message)?.groups?.['said'] ?? message.trim();
}
