import { readdir } from 'node:fs/promises';
import type { PostgresServer } from './postgres-server.ts';
import type { RecordingStorage } from './recording-storage.ts';

/** What came of comparing the rows with the storage and the spool. */
export interface ComparedObjects {
  counts: { recordings: number; missingObjects: number; orphans: number; spoolFiles: number };
  examples: string[];
}

const MOST_EXAMPLES = 5;

/** Every object that a row of a recording or an event of the ledger names, with its content. */
const NAMED = `
  SELECT url, sha256 FROM conversation_recordings WHERE url IS NOT NULL
  UNION SELECT recording->>'url', recording->>'sha256'
    FROM webhook_events, LATERAL (SELECT body_reference->'recording' AS recording) AS reference
    WHERE recording->>'url' IS NOT NULL
  UNION SELECT body_reference->>'bodyUrl', NULL FROM webhook_events WHERE body_reference->>'bodyUrl' IS NOT NULL`;

/** Holds the objects of the storage against what names them, and looks for files in the spool. */
export async function compareObjects({
  postgres,
  storage,
  spoolDir,
}: {
  postgres: PostgresServer;
  storage: RecordingStorage;
  spoolDir: string;
}): Promise<ComparedObjects> {
  const rows = await postgres.sqlPatiently(NAMED);
  const named = new Set(rows.map(({ url }) => String(url)));
  const missing = rows.filter(({ url, sha256 }) => {
    const found = storage.objects.get(String(url));
    return found === undefined || (sha256 !== null && found.sha256 !== sha256);
  });
  const orphans = [...storage.objects.keys()].filter((url) => !named.has(url));
  const files = await spoolFiles(spoolDir);
  const counts = {
    recordings: rows.length,
    missingObjects: missing.length,
    orphans: orphans.length,
    spoolFiles: files.length,
  };
  const examples = [
    ...missing.slice(0, MOST_EXAMPLES).map(({ url }) => `not in the storage as the row says: ${String(url)}`),
    ...orphans.slice(0, MOST_EXAMPLES).map((url) => `in the storage, and nothing names it: ${url}`),
    ...files.slice(0, MOST_EXAMPLES).map((name) => `left in the spool: ${name}`),
  ];
  return { counts, examples };
}

/** Lists the files in a spool; a lock is a socket. */
export async function spoolFiles(spoolDir: string): Promise<string[]> {
  const entries = await readdir(spoolDir, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}
