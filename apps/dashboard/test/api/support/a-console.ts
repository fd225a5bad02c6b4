import { randomUUID } from 'node:crypto';
import { openBoundRecordingStorage } from '@landline/operations';
import { createCanaryMark, openActivity, openAllQueues, openConsoleRequests, type QueueServers } from '@landline/queue';
import { createStore, openConversationRebuilds, openLookups, type Store } from '@landline/store';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { inject } from 'vitest';
import { createDatabase } from '../../../../../test/support/database.ts';
import { runSql } from '../../../../../test/support/run-sql.ts';
import type { ApiPorts } from '../../../src/api/ports.ts';
import { createApp } from '../../../src/app.ts';
import { checkAnswer } from './check-answer.ts';

export const LOGIN = { user: 'admin', password: 'correct horse battery' };
export const AUTHORIZATION = `Basic ${Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString('base64')}`;

/** A console on a database and a Redis prefix of its own. */
export interface AConsole {
  app: FastifyInstance;
  ports: ApiPorts;
  /** Fills the database, as a worker does. */
  store: Store;
  queues: ReturnType<typeof openAllQueues>;
  servers: QueueServers;
  sql: (statement: string) => Promise<Record<string, unknown>[]>;
  /** Asks the API with the login, and holds the answer against the schema of its route. */
  ask: (url: string, options?: Omit<InjectOptions, 'url'>) => Promise<LightMyRequestResponse>;
  close: () => Promise<void>;
}

/** Opens a console. `changed` stands in the place of some of its ports. */
export async function openConsole(changed: Partial<ApiPorts> = {}): Promise<AConsole> {
  const database = await createDatabase(inject('databaseUrl'));
  const servers = { redisUrl: inject('redisUrl'), prefix: `{console-${randomUUID()}}` };
  const store = createStore({ databaseUrl: database.url });
  const queues = openAllQueues(servers);
  const activity = openActivity(servers);
  const canary = createCanaryMark(servers);
  const requests = openConsoleRequests(servers);
  const storage = openBoundRecordingStorage('');
  const lookups = openLookups({ databaseUrl: database.url });
  const rebuilds = openConversationRebuilds({ databaseUrl: database.url, isReadOnly: true });
  const ports = { lookups, rebuilds, queues, activity, canary, requests, storage, journalHours: 24, ...changed };
  const app = createApp({
    shards: () => queues.shards(),
    login: LOGIN,
    apiToken: 'a-token-of-scripts',
    console: ports,
  });
  return {
    app,
    ports,
    store,
    queues,
    servers,
    sql: (statement) => runSql(database.directUrl, statement),
    ask: (url, options) => askApi(app, url, options),
    async close() {
      await app.close();
      await Promise.all([lookups.close(), rebuilds.close(), store.close(), requests.close(), activity.close()]);
      canary.close();
      for (const { requests: waiting } of queues.shards()) await waiting.obliterate({ force: true });
      await queues.close();
      await database.drop();
    },
  };
}

/** Asks a path below /api/v1 with the login, and holds the answer against the schema of its route. */
export async function askApi(
  app: FastifyInstance,
  url: string,
  { headers, ...options }: Omit<InjectOptions, 'url'> = {},
): Promise<LightMyRequestResponse> {
  const answer = await app.inject({
    ...options,
    url: `/api/v1${url}`,
    headers: { authorization: AUTHORIZATION, ...headers },
  });
  checkAnswer(options.method ?? 'GET', url, answer);
  return answer;
}
