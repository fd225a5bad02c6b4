import { setTimeout as wait } from 'node:timers/promises';
import { migrate, migrationUrl, prepareTables, StoreError } from '@landline/store';
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
 * Brings the tables up to date, and tries again until that works. It prints the migrations that it applied, and each fault once. What the worker
 * need not wait for goes on beside it: bodies that an older version kept in the ledger are moved.
 *
 * @returns The state of the work; its promises never reject.
 */
export function bringTablesUpToDate({ databaseUrl, directUrl, print, leaving }: BringTablesOptions): Prerequisite {
  let fault: string | undefined = 'It waits for the tables to be brought up to date.';
  const printed = new Set<string>();
  const first = new AbortController();

  async function tryOnce(): Promise<boolean> {
    try {
      const { applied, left } = await prepareTables(migrationUrl(databaseUrl, directUrl), { signal: leaving });
      printApplied(applied);
      fault = undefined;
      if (left === 'ours') void tryUntil(finishOnce);
      return true;
    } catch (error) {
      const why = reasonOf(error, directUrl ?? databaseUrl);
      fault = `It waits for the database: ${why}.`;
      printOnce(
        why,
        `The database is not ready: ${why}. If it is yours, check DATABASE_URL and DIRECT_URL. Trying again until it is.`,
      );
      return false;
    } finally {
      first.abort();
    }
  }

  async function finishOnce(): Promise<boolean> {
    try {
      const { applied } = await migrate(migrationUrl(databaseUrl, directUrl), { signal: leaving });
      printApplied(applied);
      return true;
    } catch (error) {
      const why = reasonOf(error, directUrl ?? databaseUrl);
      printOnce(why, `The bodies of earlier events are not moved to their table yet: ${why}. Trying again.`);
      return false;
    }
  }

  function printApplied(applied: readonly string[]): void {
    if (!leaving.aborted && applied.length > 0) print(`Brought the tables up to date: ${applied.join(', ')}.`);
  }

  function printOnce(why: string, line: string): void {
    if (!leaving.aborted && !printed.has(why)) print(line);
    printed.add(why);
  }

  async function tryUntil(once: () => Promise<boolean>): Promise<void> {
    while (!leaving.aborted && !(await once())) {
      await wait(RETRY_MS, undefined, { ref: false, signal: leaving }).catch(() => undefined);
    }
  }

  const settled = whenAborted(first.signal);
  return { done: Promise.race([tryUntil(tryOnce), whenAborted(leaving)]), settled, fault: () => fault };
}

/** Describes a fault for the operator, without a full stop. It shows only the host of a URL, never user and password. */
function reasonOf(error: unknown, url: string): string {
  const message = (error instanceof Error ? error.message : String(error)).trim().replace(/\.$/, '');
  const isAway = error instanceof StoreError && error.faultClass === 'connection';
  return isAway && URL.canParse(url) ? `Postgres at ${new URL(url).host} does not answer (${message})` : message;
}
