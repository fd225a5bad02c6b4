import PgBoss from 'pg-boss';

/** The one queue. */
export const QUEUE = 'webhooks';

/** Jobs are tried again for about half a minute. */
export const JOB_OPTIONS = { retryLimit: 5, retryDelay: 1, retryBackoff: true };

/** Starts pg-boss as its guide does; errors that it meets on its own are printed. */
export async function openBoss(connectionString: string, options: PgBoss.ConstructorOptions = {}): Promise<PgBoss> {
  const boss = new PgBoss({ connectionString, ...options });
  boss.on('error', (error) => process.stderr.write(`${error.message}\n`));
  return boss.start();
}
