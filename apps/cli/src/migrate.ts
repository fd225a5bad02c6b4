import { migrate } from '@landline/store';

/** `landline migrate`: brings the tables up to date and says what that took. */
export async function runMigrate(databaseUrl: string, print: (line: string) => void): Promise<number> {
  const { applied } = await migrate(databaseUrl);
  print(
    applied.length === 0 ? 'The tables are up to date.' : `Applied:\n${applied.map((name) => `  ${name}`).join('\n')}`,
  );
  return 0;
}
