import { setTimeout as wait } from 'node:timers/promises';
import { migrate, migrationUrl, StoreError } from '@landline/store';
import type { Prerequisite } from './keep-app.ts';
import { whenAborted } from './when-aborted.ts';

/** The pause between two tries while the database is away, in ms. The worker has the same pause. */
const RETRY_MS = 2_000;

/** The database, and how to report progress. */
export interface BringTablesOptions {
  databaseUrl: string;
  /** The URL of the tables' owner, or the URL past a pooler; undefined where `databaseUrl` serves for that. */
  directUrl: string | undefined;
  print: (line: string) => void;
  /** Aborts when everything is to be stopped. A migration under way is then abandoned, and Postgres rolls it back as a whole. */
  leaving: AbortSignal;
}

/**
 * Brings the tables up to date, and tries again until that works. It prints the migrations that it applied, and each fault once.
 *
 * @returns The state of the work; its promises never reject.
 */
export function bringTablesUpToDate({ databaseUrl, directUrl, print, leaving }: BringTablesOptions): Prerequisite {
  let fault: string | undefined = 'It waits for the tables to be brought up to date.';
  const printed = new Set<string>();
  const first = new AbortController();

  async function tryOnce(): Promise<boolean> {
    try {
      const { applied } = await migrate(migrationUrl(databaseUrl, directUrl));
      if (!leaving.aborted && applied.length > 0) print(`Brought the tables up to date: ${applied.join(', ')}.`);
      fault = undefined;
      return true;
    } catch (error) {
      const why = reasonOf(error, directUrl ?? databaseUrl);
      fault = `It waits for the database: ${why}.`;
      if (!leaving.aborted && !printed.has(why)) {
        print(
          `The database is not ready: ${why}. If it is yours, check DATABASE_URL and DIRECT_URL. Trying again until it is.`,
        );
      }
      printed.add(why);
      return false;
    } finally {
      first.abort();
    }
  }

  async function tryUntilDone(): Promise<void> {
    while (!leaving.aborted && !(await tryOnce())) {
      await wait(RETRY_MS, undefined, { ref: false, signal: leaving }).catch(() => undefined);
    }
  }

  const settled = whenAborted(first.signal);
  return { done: Promise.race([tryUntilDone(), whenAborted(leaving)]), settled, fault: () => fault };
}

/** Describes a fault for the operator, without a full stop. It shows only the host of a URL, never user and password. */
function reasonOf(error: unknown, url: string): string {
  const message = (error instanceof Error ? error.message : String(error)).trim().replace(/\.$/, '');
  const isAway = error instanceof StoreError && error.faultClass === 'connection';
  return isAway && URL.canParse(url) ? `Postgres at ${new URL(url).host} does not answer (${message})` : message;
}
