import { Client } from 'pg';

/** Watches which sessions of a database wait for a lock. */
export interface LockWatch {
  /** Ends the watch. Returns the share of the sessions in a transaction that waited for a lock, from 0 to 1. */
  end: () => Promise<number>;
}

const ASK_MS = 50;

const SESSIONS = `SELECT count(*)::int AS sessions, (count(*) FILTER (WHERE wait_event_type = 'Lock'))::int AS waiting
  FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()`;

/** Begins to look at the sessions, twenty times a second. */
export async function watchLocks(databaseUrl: string): Promise<LockWatch> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  let sessions = 0;
  let waiting = 0;
  let asking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    asking = look();
  }, ASK_MS);
  async function look(): Promise<void> {
    const { rows } = await client.query<{ sessions: number; waiting: number }>(SESSIONS);
    sessions += rows[0]?.sessions ?? 0;
    waiting += rows[0]?.waiting ?? 0;
  }
  return {
    async end() {
      clearInterval(timer);
      await asking;
      await client.end();
      return sessions === 0 ? 0 : waiting / sessions;
    },
  };
}
