import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createDeadLetters, openQueues } from '@landline/queue';
import { createEngine, openRemover, policyWords, retentionKind, type RetentionPolicy } from '@landline/operations';
import { normalise } from '@landline/webhook';
import { deliveryOf } from '@landline/webhook/delivery';
import { inject, onTestFinished } from 'vitest';
import { openQueryStore } from '../../../../packages/store/test/support/query-store.ts';
import { createDatabase } from '../../../../test/support/database.ts';
import { runSql } from '../../../../test/support/run-sql.ts';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';

/** In ms. */
export const HOUR = 3_600_000;
/** In ms. */
export const DAY = 24 * HOUR;
/** The clock of these runs. */
export const NOW = Date.UTC(2026, 5, 1, 12);
/** The policy of these runs. */
export const POLICY: RetentionPolicy = { bodies: 10, events: 40, rejected: 5, conversations: 30, recordings: 20 };
/** A time in unix ms, as SQL reads it. */
export const iso = (at: number) => new Date(at).toISOString();

const NEVER = new AbortController().signal;

/** A database, dead letters, a folder of recordings and what runs retention there, all closed when the test ends. */
export async function aPlace() {
  const database = await createDatabase(inject('databaseUrl'));
  const place = { redisUrl: inject('redisUrl'), prefix: `{${randomUUID()}}` };
  const store = openQueryStore({ databaseUrl: database.url });
  const letters = createDeadLetters(place);
  const queues = openQueues(place);
  const storage = openRemover('');
  const folder = await makeTempFolder();
  /** The clock of each run, by when it began in truth. */
  const clocks = new Map<number, number>();
  onTestFinished(async () => {
    storage.close();
    await Promise.all([store.close(), letters.close(), queues.close()]);
    await database.drop();
  });
  const sql = (statement: string) => runSql(database.directUrl, statement);
  // The databases of tests have partitions for the time of most tests' events.
  await sql(
    `SELECT landline_drop_body_partition(day::date) FROM generate_series('2026-01-01'::date, '2026-02-01', '1 day') AS day`,
  );
  return {
    ...place,
    databaseUrl: database.url,
    /** The URL of the database's owner. */
    adminUrl: database.directUrl,
    store,
    letters,
    queues,
    folder,
    sql,
    /** Runs retention once, at a time in unix ms; returns the operation as it ended. */
    async run({ policy = POLICY, now = NOW, leaving = NEVER, retention = store.retention } = {}) {
      const { id } = await store.operations.request({ kind: 'retention', filter: policyWords(policy) });
      const clock = (startedAt: number) => {
        if (!clocks.has(startedAt)) clocks.set(startedAt, now);
        return clocks.get(startedAt) ?? now;
      };
      const kind = retentionKind({ store: { ...store, retention }, letters, storage, clock });
      await createEngine({ store: store.operations, kinds: [kind] }).runDue(leaving);
      const ended = await store.operations.get(id);
      if (ended === undefined) throw new Error('The operation is gone.');
      return ended;
    },
    /** Applies an event that was received at this time; returns its id. */
    async apply(body: object, receivedAt: number, outcome?: 'dead' | 'ignored') {
      const facts = { receivedAt, signedAt: Math.floor(receivedAt / 1000), secretId: 'test' };
      const event = normalise(deliveryOf(Buffer.from(JSON.stringify(body)), facts));
      if (event.outcome !== 'applied') throw new Error(`not applied: ${JSON.stringify(event)}`);
      const { entry } = event;
      if (outcome === 'dead') await store.recordDead([{ entry, fault: { code: 'bug', message: 'no' }, attempts: 1 }]);
      else await store.apply([outcome === 'ignored' ? { outcome, entry } : event]);
      return entry.id;
    },
    /** Keeps a recording in the folder, of a call at this time; returns the path of the file. */
    async keepRecording(conversation: string, at: number) {
      const path = join(folder, 'agent', '2026', '01', '02', `${conversation}.mp3`);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, 'audio');
      await sql(`INSERT INTO conversation_recordings (conversation_id, event_id, url, content_type, bytes, sha256, created_at, stored_at)
        VALUES ('${conversation}', gen_random_uuid(), 'file:${path}', 'audio/mpeg', 5, 'ab', '${iso(at)}', '${iso(at)}')`);
      return path;
    },
  };
}

/** What `aPlace` opens. */
export type Place = Awaited<ReturnType<typeof aPlace>>;

/** A live message of a conversation. */
export const message = (conversation: string, text = conversation) => ({
  type: 'conversation.message',
  event_id: `${conversation} ${text}`,
  timestamp: NOW / 1000 - 3_600,
  data: { conversation_id: conversation, role: 'user', message: text },
});

/** The first column of a query's rows. */
export const column = async ({ sql }: Place, query: string) => (await sql(query)).map((row) => Object.values(row)[0]);
