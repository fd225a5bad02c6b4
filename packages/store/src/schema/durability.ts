import type { Run } from '../connection/transactions.ts';

/** The server's settings without which a crash may cost what was committed, or all of it. Only whoever runs the server can set them. */
const SETTINGS = ['fsync', 'full_page_writes'] as const;

/** What is wrong with the server's durability, and what to do; empty when nothing is. */
export async function checkDurability(run: Run): Promise<string[]> {
  const columns = SETTINGS.map((name) => `current_setting('${name}') AS ${name}`).join(', ');
  const [row = {}] = await run({ sql: `SELECT ${columns}`, parameters: [] });
  return SETTINGS.filter((name) => row[name] !== 'on').map(
    (name) =>
      `Postgres has ${name}=${String(row[name])}: a power cut may cost committed rows, or the whole database. Set ${name} = on in postgresql.conf and reload it.`,
  );
}
