import { createStore } from '@landline/store';
import type { CommandContext } from './command-context.ts';
import { CliError } from './errors.ts';
import { formatTable } from './format-table.ts';

/** `landline sql`: runs a query that can only read, and prints its rows. */
export async function runSql(
  databaseUrl: string,
  query: string,
  { print, width }: Pick<CommandContext, 'print' | 'width'>,
): Promise<number> {
  const store = createStore({ databaseUrl, poolSize: 1 });
  try {
    print(formatTable(await store.query(query), width));
  } catch (error) {
    throw new CliError('query_failed', explain(error), { cause: error });
  } finally {
    await store.close();
  }
  return 0;
}

// Of what Prisma says about a raw query, the part that is Postgres' own.
function explain(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /Message: `(?<said>[^]*)`/.exec(message)?.groups?.['said'] ?? message.trim();
}
