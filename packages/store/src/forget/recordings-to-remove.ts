import type { RecordingChange } from '@landline/webhook/changes';
import { z } from 'zod';
import { textArray, type Statement } from '../connection/statement.ts';
import type { Transactions } from '../connection/transactions.ts';

/** A file of the storage that is to go. */
export interface RecordingToRemove {
  /** `file:<path>` or `s3://<bucket>/<key>`. */
  url: string;
  /** Counted up when the file is to be removed once more. */
  requests: number;
}

/** The files that the storage is to lose: audio, and whole raw bodies. Every method that fails throws a `StoreError`. */
export interface RecordingsToRemove {
  /** Lists those behind a URL in the order of their URLs, at most `limit`. */
  list(page: { after?: string | undefined; limit: number }): Promise<RecordingToRemove[]>;
  /** Notes that a file is gone. One that was brought back meanwhile stays on the list. */
  removed(file: RecordingToRemove): Promise<void>;
  /** Notes why a file is still there. */
  stays(url: string, error: string): Promise<void>;
  /** Counts them, and those that could not be removed so far. */
  count(): Promise<{ waiting: number; failed: number }>;
}

/** Puts files on the list. One that is on it already may be there again by now, so it is asked for once more. */
export function removeLaterStatement(urls: readonly string[]): Statement {
  return {
    sql: `
    INSERT INTO recordings_to_remove AS r (url) SELECT DISTINCT u.url FROM unnest($1::text[]) AS u (url) ORDER BY u.url
    ON CONFLICT (url) DO UPDATE SET requests = r.requests + 1`,
    parameters: [textArray(urls)],
  };
}

/** Puts files on the list whose recording is deleted: a late delivery has brought them to the storage again. */
export function removeAgainStatement(recordings: readonly RecordingChange[]): Statement {
  return {
    sql: `
    INSERT INTO recordings_to_remove AS r (url)
    SELECT DISTINCT u.url FROM unnest($1::text[], $2::text[], $3::text[]) AS u (conversation_id, sha256, url)
      JOIN conversation_recordings AS d USING (conversation_id, sha256)
    WHERE d.deleted_at IS NOT NULL ORDER BY u.url
    ON CONFLICT (url) DO UPDATE SET requests = r.requests + 1`,
    parameters: [
      textArray(recordings.map(({ conversation_id }) => conversation_id)),
      textArray(recordings.map(({ sha256 }) => sha256)),
      textArray(recordings.map(({ url }) => url)),
    ],
  };
}

const listSchema = z.array(z.object({ url: z.string(), requests: z.number() }));
const countSchema = z.tuple([z.object({ waiting: z.number(), failed: z.number() })]);

/** Makes the list in these transactions. */
export function recordingsToRemoveOn(transactions: Pick<Transactions, 'run'>): RecordingsToRemove {
  const change = (statement: Statement) => transactions.run(async (run) => void (await run(statement)));
  return {
    list: ({ after = '', limit }) =>
      transactions.run(async (run) => listSchema.parse(await run({ sql: LIST, parameters: [after, String(limit)] }))),
    removed: ({ url, requests }) => change({ sql: REMOVED, parameters: [url, String(requests)] }),
    stays: (url, error) => change({ sql: STAYS, parameters: [url, error] }),
    count: () => transactions.run(async (run) => countSchema.parse(await run({ sql: COUNT, parameters: [] }))[0]),
  };
}

const LIST = `
    SELECT url, requests FROM recordings_to_remove WHERE url > $1::text ORDER BY url LIMIT $2::text::int`;

const REMOVED = `DELETE FROM recordings_to_remove WHERE url = $1::text AND requests = $2::text::int`;

const STAYS = `UPDATE recordings_to_remove SET tries = tries + 1, error = $2::text WHERE url = $1::text`;

const COUNT = `SELECT count(*)::int AS waiting, (count(*) FILTER (WHERE tries > 0))::int AS failed FROM recordings_to_remove`;
