import { randomUUID } from 'node:crypto';
import { createLogger } from '@landline/process';
import { wakeOperations } from '@landline/queue';
import { createStore, openRebuilds, type ApplicableEvent, type Operation } from '@landline/store';
import { normalise } from '@landline/webhook';
import { deliveryOf } from '@landline/webhook/delivery';
import { inject, onTestFinished, vi } from 'vitest';
import { createDatabase } from '../../../../test/support/database.ts';
import { RECEIVED_AT } from '../../../../test/support/dead-ledger.ts';
import { SIGNED_AT } from '../../../../test/support/event-parts.ts';
import { firstOfLoad } from '../../../../test/support/load-events.ts';
import { runSql } from '../../../../test/support/run-sql.ts';
import { createWorker } from '../../src/worker.ts';

/** How long a rebuild of a test may take, in ms. */
const WITHIN = { timeout: 60_000, interval: 20 };

/** Where a rebuild of a test runs. */
export interface RebuildPlace {
  /** By default a database of its own. The worker's; tables are asked for by `adminUrl`. */
  databaseUrl: string;
  adminUrl: string;
}

/** Tables with a worker, and what asks for rebuilds. All of it is closed when the test ends. */
export async function aRebuild(place?: RebuildPlace) {
  const { databaseUrl, adminUrl } = place ?? (await ownDatabase());
  const redis = { redisUrl: inject('redisUrl'), prefix: `{${randomUUID()}}` };
  const store = createStore({ databaseUrl });
  const rebuilds = openRebuilds({ databaseUrl });
  const worker = createWorker({
    databaseUrl,
    ...redis,
    concurrency: 4,
    logger: createLogger({ name: 'worker', level: 'fatal' }),
  });
  onTestFinished(async () => {
    await worker.stop({ timeoutMs: 5_000 });
    await Promise.all([store.close(), rebuilds.close()]);
  });
  worker.start();
  const get = async (id: string): Promise<Operation> => {
    const found = await store.operations.get(id);
    if (found === undefined) throw new Error('The operation is gone.');
    return found;
  };
  const ask = async (swap: 'yes' | 'no', rate?: number) => {
    const { id } = await store.operations.request({ kind: 'rebuild', filter: { swap }, rate });
    await wakeOperations(redis);
    return {
      id,
      get: () => get(id),
      ended: () =>
        vi.waitUntil(async () => {
          const now = await get(id);
          return now.finishedAt !== null && now;
        }, WITHIN),
    };
  };
  return {
    databaseUrl,
    adminUrl,
    store,
    rebuilds,
    worker,
    sql: (statement: string) => runSql(adminUrl, statement),
    ask,
    /** Rebuilds, and returns the operation as it ended. */
    rebuild: async (swap: 'yes' | 'no') => (await ask(swap)).ended(),
    async apply(events: readonly ApplicableEvent[]) {
      for (let from = 0; from < events.length; from += 500) {
        // oxlint-disable-next-line no-await-in-loop -- one transaction after the other
        await store.apply(events.slice(from, from + 500));
      }
    },
  };
}

async function ownDatabase(): Promise<RebuildPlace> {
  const database = await createDatabase(inject('databaseUrl'));
  onTestFinished(database.drop);
  return { databaseUrl: database.url, adminUrl: database.directUrl };
}

/** See `aRebuild`. */
export type RebuildLine = Awaited<ReturnType<typeof aRebuild>>;

/** Events of all types that have much to do with each other, as a worker reads them. */
export function manyEvents(count: number, run = 'r'): ApplicableEvent[] {
  return firstOfLoad({ run, seed: 7 }, count).map(({ body, receivedAt, reference }) =>
    applicable(
      normalise({ receivedAt, signedAt: SIGNED_AT / 1000, secretId: 'test', encoding: 'utf8', body, reference }),
    ),
  );
}

/** A body as it was received at this time. */
export function eventOf(
  body: Buffer | string,
  { receivedAt = RECEIVED_AT, signedAt = RECEIVED_AT / 1000 } = {},
): ApplicableEvent {
  return applicable(normalise(deliveryOf(Buffer.from(body), { receivedAt, signedAt, secretId: 'test' })));
}

/** What an agent said in a call of somebody. */
export function saidBy(user: string, call: string, words: string, at = RECEIVED_AT): ApplicableEvent {
  const data = { conversation_id: call, user_id: user, role: 'user', message: words, language: 'en' };
  const event = { type: 'conversation.message', event_id: `${call} ${words}`, timestamp: at / 1000, data };
  return eventOf(JSON.stringify(event), { receivedAt: at + 200 });
}

function applicable(event: ReturnType<typeof normalise>): ApplicableEvent {
  if (event.outcome === 'dead') throw new Error(`dead: ${event.fault.message}`);
  return event;
}
