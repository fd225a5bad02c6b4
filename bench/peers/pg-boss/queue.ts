import PgBoss from 'pg-boss';

/** The queue's name. */
export const QUEUE = 'webhooks';

/** Opens pg-boss on the database that also holds the rows. It makes its tables where they are missing. */
export async function openBoss(databaseUrl: string): Promise<PgBoss> {
  const boss = new PgBoss({ connectionString: databaseUrl, max: 10 });
  // Without a listener an error would end the process.
  boss.on('error', (error) => process.stderr.write(`${String(error)}\n`));
  await boss.start();
  await boss.createQueue(QUEUE, { name: QUEUE, retryLimit: 5, retryBackoff: true });
  return boss;
}
