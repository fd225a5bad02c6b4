import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { openProvider } from '@landline/provider';
import { createLargeBodies, type LargeBodiesOptions } from '@landline/recordings';
import { createStore, SCHEDULE, type ApplicableEvent } from '@landline/store';
import { keyOfHash, normalise } from '@landline/webhook';
import { deliveryOf, type Delivery } from '@landline/webhook/delivery';
import { afterAll, expect, inject, onTestFinished } from 'vitest';
import { EMPTY_TABLES } from '../../../store/test/support/read-tables.ts';
import { createDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { audioWebhookOf, webhookOf, type Account } from '../../../../test/support/provider/conversation.ts';
import { startProvider } from '../../../../test/support/provider/start-provider.ts';
import { runSql } from '../../../../test/support/run-sql.ts';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { createEngine } from '../../src/engine.ts';
import { acceptFetched } from '../../src/reconcile/accept-fetched.ts';
import { openAudioSink } from '../../src/reconcile/audio-sink.ts';
import { fetchConversationKind } from '../../src/reconcile/fetch-conversation.ts';
import type { ReconcilePorts } from '../../src/reconcile/reconcile-ports.ts';
import { fetchConversationWords, reconcileWords } from '../../src/reconcile/reconcile-words.ts';
import { reconcileKind } from '../../src/reconcile/reconcile.ts';

export const MIB = 1024 * 1024;

/** The time of a call that began so many minutes ago, in unix seconds. */
export const minutesAgo = (minutes: number) => Math.floor(Date.now() / 1000) - minutes * 60;

const EMPTY = `${EMPTY_TABLES}; ${['operations', 'erasures', 'reconciliations'].map((table) => `DELETE FROM ${table}`).join('; ')}`;

/** One for all tests of a file: to make one takes seconds. Files that follow each other in one process share this module. */
let database: (TestDatabase & { file: string | undefined }) | undefined;
afterAll(async () => {
  await database?.drop();
  database = undefined;
});

/** An empty database, a provider, a spool, and a worker that applies at once what is enqueued. All ends with the test. */
export async function aComparison(conversations: readonly Account[] = [], more: Partial<ReconcilePorts> = {}) {
  const { testPath: file } = expect.getState();
  if (database?.file !== file) {
    await database?.drop();
    database = undefined;
  }
  database ??= { ...(await createDatabase(inject('databaseUrl'))), file };
  const { url, directUrl } = database;
  await runSql(directUrl, EMPTY);
  const store = createStore({ databaseUrl: url, poolSize: 4 });
  const provider = await startProvider({ conversations });
  const client = openProvider({ apiKey: provider.apiKey, url: provider.url, firstPauseMs: 2, tries: 1 });
  const folder = await makeTempFolder();
  const sql = (statement: string) => runSql(directUrl, statement);
  const { worker, queue } = aWorker(store);
  const spooling: LargeBodiesOptions = {
    spoolDir: join(folder, 'spool'),
    spoolLimitBytes: 1024 * MIB,
    recordingsUrl: `file:${join(folder, 'recordings')}`,
    accept: acceptFetched(queue),
    onError: (error) => worker.errors.push(error.message),
    onReady: () => undefined,
  };
  const bodies = createLargeBodies(spooling);
  await bodies.open();
  onTestFinished(async () => {
    client.close();
    await bodies.close();
    await Promise.all([provider.close(), store.close()]);
  });
  const fetched = { calls: 0, missed: 0 };
  const ports: ReconcilePorts = {
    store: store.reconcile,
    ledger: store.ledger,
    provider: client,
    queue,
    letters: { remove: (ids) => Promise.resolve(ids.forEach((id) => worker.letters.delete(id))) },
    audio: openAudioSink({ spool: bodies.spool, limitBytes: 256 * MIB }),
    isSpooled: (eventId) => bodies.spool.holds(eventId),
    windowHours: 72,
    keptDays: {},
    onFetched: ({ calls, missed }) => {
      fetched.calls += calls;
      fetched.missed += missed;
    },
    ...more,
  };
  const kinds = { reconcile: reconcileKind(ports), 'fetch-conversation': fetchConversationKind(ports) };

  async function run(kind: keyof typeof kinds, filter: Record<string, string>, requestedBy?: string) {
    const { id } = await store.operations.request({ kind, filter, requestedBy });
    await createEngine({ store: store.operations, kinds: [kinds[kind]] }).runDue(new AbortController().signal);
    const operation = await store.operations.get(id);
    if (operation === undefined) throw new Error('The operation is gone.');
    return operation;
  }

  return {
    url,
    store,
    provider,
    client,
    ports,
    kinds,
    sql,
    worker,
    folder,
    fetched: () => fetched.calls,
    /** Of these, those that ended since the first comparison began. */
    missed: () => fetched.missed,
    run: (since?: number) => run('reconcile', reconcileWords({ since })),
    /** A run that nobody has asked for but the schedule. */
    runScheduled: () => run('reconcile', reconcileWords(), SCHEDULE),
    fetch: (id: string) => run('fetch-conversation', fetchConversationWords(id)),
    /** The webhook of a call's account comes. */
    receive: (account: Account, time?: number) => worker.work([webhook(webhookOf(account, time))]),
    /** The webhook of a call's audio comes, by the spool as at the receiver. */
    async receiveAudio(account: Account) {
      const body = audioWebhookOf(account);
      const sha256 = createHash('sha256').update(body).digest('hex');
      const writer = bodies.spool.begin({ isLarge: true });
      await writer.write(body);
      const facts = { receivedAt: Date.now(), signedAt: 1, secretId: 'test', bytes: body.length, sha256 };
      const eventId = keyOfHash(sha256);
      await writer.keep({ ...facts, eventId });
      while (!(await store.ledger.states([eventId])).has(eventId)) await new Promise((done) => setTimeout(done, 10));
    },
    async completeness(): Promise<Record<string, unknown>> {
      const rows = await sql('SELECT id, completeness FROM conversations');
      return Object.fromEntries(rows.map(({ id, completeness }) => [String(id), completeness]));
    },
    /** Why calls are unfetchable or missing, by id. */
    async reasons(): Promise<Record<string, unknown>> {
      const rows = await sql(
        'SELECT id, completeness_reason AS reason FROM conversations WHERE completeness_reason IS NOT NULL ORDER BY id',
      );
      return Object.fromEntries(rows.map(({ id, reason }) => [String(id), reason]));
    },
    /** What the provider was asked of calls, since the last look. */
    asked: () =>
      provider.requests
        .splice(0)
        .map(({ path }) => path.replace('/v1/convai/conversations', ''))
        .filter((path) => path !== ''),
    last: async () => (await sql('SELECT * FROM reconciliations ORDER BY started_at DESC LIMIT 1'))[0],
  };
}

/** The delivery of a webhook that came now. */
export function webhook(body: Buffer): Delivery {
  return deliveryOf(body, { receivedAt: Date.now(), signedAt: Math.floor(Date.now() / 1000), secretId: 'test' });
}

/** What applies events, as far as a test says nothing else. */
function aWorker(store: ReturnType<typeof createStore>) {
  const worker = {
    errors: [] as string[],
    /** Calls whose events die. */
    dying: new Set<string>(),
    /** The events that rest as dead letters. */
    letters: new Set<string>(),
    /** Jobs that wait; undefined: none waits. */
    held: undefined as Delivery[][] | undefined,
    /** Their ids. */
    waiting: new Set<string>(),
    /** Whether jobs are lost that are added. */
    isLosing: false,
    /** Called before each job. */
    onJob: undefined as ((id: string) => Promise<unknown> | void) | undefined,
    async work(events: readonly Delivery[]) {
      for (const event of events.map(normalise)) {
        const { entry } = event;
        const fault = { code: 'an_old_bug', message: 'The version before could not read it.' };
        if (event.outcome === 'dead' || worker.dying.has(entry.conversationId ?? '')) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          const dead = await store.recordDead([{ entry, fault, attempts: 1 }]);
          for (const id of dead) worker.letters.add(id);
        } else {
          const applicable: ApplicableEvent = event;
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          await store.apply([applicable]);
        }
      }
    },
  };
  const queue: ReconcilePorts['queue'] = {
    hasRoom: () => Promise.resolve(true),
    async add({ id, events }: { id: string; events: readonly Delivery[] }) {
      await worker.onJob?.(id);
      if (worker.isLosing) return;
      if (worker.held === undefined) return worker.work(events);
      worker.held.push([...events]);
      worker.waiting.add(id);
    },
    states: (ids: readonly string[]) =>
      Promise.resolve(ids.map((id) => (worker.held !== undefined && worker.waiting.has(id) ? 'pending' : 'gone'))),
  };
  return { worker, queue };
}
