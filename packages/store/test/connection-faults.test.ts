import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Client } from 'pg';
import { describe, expect, test, type TestContext } from 'vitest';
import { closeServer } from '../../../test/support/close-server.ts';
import { startTcpProxy, type TcpProxy } from '../../../test/support/tcp-proxy.ts';
import type { StoreOptions } from '../src/store.ts';
import { anEvent, type Told } from './support/an-event.ts';
import { openQueryStore, type QueryStore } from './support/query-store.ts';
import { readTables } from './support/read-tables.ts';
import { withStore } from './support/with-store.ts';

const context = withStore();

/** What a test opens goes when it ends. Passed on, because tests that run at once have each their own. */
type Ending = Pick<TestContext, 'onTestFinished'>;

async function openProxy({ onTestFinished }: Ending): Promise<TcpProxy> {
  const proxy = await startTcpProxy(context.url);
  onTestFinished(() => proxy.close());
  return proxy;
}

/** A store behind the proxy, or on any other line. */
function openStore({ onTestFinished }: Ending, options: StoreOptions): QueryStore {
  const store = openQueryStore(options);
  onTestFinished(() => store.close());
  return store;
}

/** What Postgres answers in the end: what has 200 ms for its answer gets none where the machine stalls. */
const answer = ({ expect: of }: Pick<TestContext, 'expect'>, store: QueryStore) =>
  of.poll(() => store.ping().then(() => 'pong'), { timeout: 20_000 });

const message = (conversation_id: string): Told => ({ type: 'conversation.message', data: { conversation_id } });

describe('the ambiguous commit', () => {
  test('cut after COMMIT was sent, an apply fails as a connection, its rows are there, and again it is a duplicate', async (t) => {
    const proxy = await openProxy(t);
    const store = openStore(t, { databaseUrl: proxy.url });
    const group = [anEvent(message('ambiguous')), anEvent({ type: 'x.y', data: {} })];
    proxy.after('COMMIT', 'cut');
    await expect(store.apply(group)).rejects.toMatchObject({ name: 'StoreError', faultClass: 'connection' });
    await expect.poll(() => context.sql(`SELECT 1 FROM webhook_events`), { timeout: 20_000 }).toHaveLength(2);

    const before = await readTables(context);
    expect(before.conversation_messages).toHaveLength(1);
    expect([...(await store.apply(group)).values()]).toEqual(['duplicate', 'duplicate']);
    expect(await readTables(context)).toEqual(before);
  });

  test('cut before COMMIT, an apply leaves nothing and is applied again', async (t) => {
    const proxy = await openProxy(t);
    const store = openStore(t, { databaseUrl: proxy.url });
    const event = anEvent(message('cut before'));
    proxy.after('INSERT INTO conversations', 'cut');
    await expect(store.apply([event])).rejects.toMatchObject({ faultClass: 'connection' });
    expect(await context.sql(`SELECT 1 FROM webhook_events WHERE id = '${event.entry.id}'`)).toEqual([]);
    expect([...(await store.apply([event])).values()]).toEqual(['applied']);
  });
});

test('the server ends a connection in the very moment it is made: a fault of that call, and not the end of the process', async (t) => {
  const { hostname, port } = new URL(context.url);
  const upstreams = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    upstreams.add(upstream);
    client.pipe(upstream);
    client.on('error', () => upstream.destroy());
    upstream.on('data', (chunk) => {
      // ReadyForQuery, and in the same breath what pg_terminate_backend says.
      if (!chunk.includes(READY)) return void client.write(chunk);
      return void client.end(Buffer.concat([chunk, TERMINATED]));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.onTestFinished(() => {
    for (const upstream of upstreams) upstream.destroy();
    server.close();
  });
  const url = new URL(context.url);
  const address = server.address();
  url.host = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const store = openStore(t, { databaseUrl: url.href });
  await expect(store.ping()).rejects.toMatchObject({ name: 'StoreError', faultClass: 'connection' });
});

const READY = Buffer.from('Z\0\0\0\x05I', 'latin1');
const FIELDS = 'SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0';
const TERMINATED = Buffer.concat([
  Buffer.from('E\0\0\0', 'latin1'),
  Buffer.from([4 + FIELDS.length]),
  Buffer.from(FIELDS),
]);

describe.concurrent('a line that breaks', () => {
  test('by a reset while idle is replaced by the next call', async (t) => {
    const proxy = await openProxy(t);
    const store = openStore(t, { databaseUrl: proxy.url, poolSize: 1 });
    await store.ping();
    proxy.reset();
    await t.expect.poll(() => store.ping().then(() => 'pong'), { timeout: 20_000 }).toBe('pong');
  });

  test('half-open fails as a connection in bounded time, and is not used again', async (t) => {
    const proxy = await openProxy(t);
    const store = openStore(t, { databaseUrl: proxy.url, poolSize: 1, statementTimeoutMs: 200 });
    await answer(t, store).toBe('pong');
    proxy.freeze();
    await t.expect(store.ping()).rejects.toMatchObject({ faultClass: 'connection' });
    await answer(t, store).toBe('pong');
  });

  test.for(['SELECT pg_backend_pid()', 'COMMIT'])(
    'half-open after %s fails as a connection, and is not used again',
    async (match, t) => {
      const proxy = await openProxy(t);
      const store = openStore(t, { databaseUrl: proxy.url, poolSize: 1, statementTimeoutMs: 200 });
      await answer(t, store).toBe('pong');
      proxy.after(match, 'freeze');
      await t.expect(store.query('SELECT pg_backend_pid()')).rejects.toMatchObject({ faultClass: 'connection' });
      await answer(t, store).toBe('pong');
    },
  );

  test('to a server that takes connections and never speaks fails in bounded time', async (t) => {
    const clients = new Set<Socket>();
    const silent = createServer((client) => void clients.add(client));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    t.onTestFinished(() => closeServer(silent, () => clients.forEach((client) => client.destroy())));
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await t.expect(openStore(t, { databaseUrl: `postgresql://a:b@127.0.0.1:${port}/c` }).ping()).rejects.toMatchObject({
      faultClass: 'connection',
    });
  });

  test('to nobody fails at once, again and again', async (t) => {
    const proxy = await openProxy(t);
    await proxy.close();
    const store = openStore(t, { databaseUrl: proxy.url });
    await t.expect(store.ping()).rejects.toMatchObject({ faultClass: 'connection' });
    await t.expect(store.apply([anEvent(message('unheard'))])).rejects.toMatchObject({ faultClass: 'connection' });
  });

  test('to a name that is nowhere fails as a connection', async (t) => {
    const store = openStore(t, { databaseUrl: 'postgresql://a:b@database.invalid:5432/c' });
    await t.expect(store.ping()).rejects.toMatchObject({ faultClass: 'connection' });
  });
});

describe.concurrent('waiting is bounded', () => {
  test('for a connection of a busy pool', async (t) => {
    const store = openStore(t, { databaseUrl: context.url, poolSize: 1 });
    const busy = store.query('SELECT pg_sleep(8)::text');
    await t.expect(store.ping()).rejects.toMatchObject({ faultClass: 'connection' });
    await busy;
    await store.ping();
  });

  test('for a statement', async (t) => {
    const store = openStore(t, { databaseUrl: context.url, statementTimeoutMs: 100 });
    await t.expect(store.query('SELECT pg_sleep(20)::text')).rejects.toMatchObject({
      code: '57014',
      faultClass: 'timeout',
    });
    await answer(t, store).toBe('pong');
  });

  test('for a lock', async (t) => {
    const holder = new Client({ connectionString: context.url });
    await holder.connect();
    t.onTestFinished(() => holder.end());
    await holder.query('BEGIN; LOCK TABLE user_commands');
    const store = openStore(t, { databaseUrl: context.url, lockTimeoutMs: 100 });
    const event = anEvent({ type: 'agent.action', data: { conversation_id: 'locked' } });
    await t.expect(store.apply([event])).rejects.toMatchObject({ code: '55P03', faultClass: 'conflict' });
    await holder.query('ROLLBACK');
    t.expect([...(await store.apply([event])).values()]).toEqual(['applied']);
  });
});
