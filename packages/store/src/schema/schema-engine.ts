import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, type SqlDriverAdapter } from '@prisma/driver-adapter-utils';
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg';
import { CONNECT_TIMEOUT_MS } from '../connection/client.ts';

/** The part that is used here: TypeScript has WebAssembly only among the browser's types. */
declare const WebAssembly: {
  instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: Record<string, unknown> } }>;
};

let loaded: Promise<void> | undefined;

/** What the engine works on. */
export interface SchemaEngineOptions {
  /** The database to work on; no connection to it is left open. */
  databaseUrl: string;
  /** The schema to work in; undefined: the first one of the role's search path. */
  schema?: string | undefined;
}

/** The one transaction that everything happens in. */
export interface EngineTransaction {
  /** Runs one statement and returns its rows, each an array of its columns. */
  run: (sql: string) => Promise<unknown[][]>;
  /** Starts the engine, on the same connection and in the same transaction. */
  startEngine: () => Promise<engine.SchemaEngine>;
}

/**
 * Runs `work` with Prisma's schema engine, the one behind `prisma migrate deploy`, as WebAssembly from npm: the native
 * one is downloaded from a host that many networks do not reach. The engine and `run` share one connection and one
 * transaction, so what `run` sets or locks holds for the engine. It is committed when `work` resolves.
 */
export async function withSchemaEngine<T>(
  { databaseUrl, schema }: SchemaEngineOptions,
  work: (transaction: EngineTransaction) => Promise<T>,
): Promise<T> {
  const factory = new PrismaPg(
    {
      connectionString: databaseUrl,
      max: 1,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      application_name: 'landline',
      onConnect: (client) => void client.on('error', () => undefined),
    },
    schema === undefined ? {} : { schema },
  );
  const pool = await factory.connect();
  try {
    return await inTransaction(pool, (transaction) => work(engineTransaction(pool, transaction)));
  } finally {
    await pool.dispose();
  }
}

type Pool = Awaited<ReturnType<PrismaPg['connect']>>;
type Transaction = Awaited<ReturnType<Pool['startTransaction']>>;

async function inTransaction<T>(pool: Pool, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  const transaction = await pool.startTransaction();
  const end = (sql: string) => transaction.executeRaw({ sql, args: [], argTypes: [] });
  try {
    const result = await work(transaction);
    await end('COMMIT');
    return result;
  } catch (error) {
    // The connection may be gone, and the transaction with it.
    await end('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    // Only gives the connection back.
    await transaction.commit();
  }
}

function engineTransaction(pool: Pool, transaction: Transaction): EngineTransaction {
  const adapter = engineAdapter(pool, transaction);
  return {
    run: async (sql) => (await transaction.queryRaw({ sql, args: [], argTypes: [] })).rows,
    startEngine: () => startEngine(adapter),
  };
}

async function startEngine(adapter: SqlDriverAdapter): Promise<engine.SchemaEngine> {
  loaded ??= load();
  await loaded;
  const factory = bindMigrationAwareSqlAdapterFactory({
    provider: adapter.provider,
    adapterName: adapter.adapterName,
    connect: () => Promise.resolve(adapter),
    connectToShadowDb: () => Promise.reject(new Error('Landline needs no shadow database.')),
  });
  return engine.SchemaEngine.new({ datamodels: undefined }, () => {}, factory);
}

/**
 * What the engine takes for a connection of its own. Each statement stands behind a savepoint, because the engine goes on after some that
 * fail: it asks for records that are not there yet, and records why a migration failed. A script goes in one message, as
 * `prisma migrate deploy` sends it; the adapter alone would run its statements one by one.
 */
function engineAdapter(pool: Pool, transaction: Transaction): SqlDriverAdapter {
  const send = (sql: string) => transaction.executeRaw({ sql, args: [], argTypes: [] });
  async function saved<T>(work: () => Promise<T>): Promise<T> {
    await send('SAVEPOINT statement');
    try {
      const result = await work();
      await send('RELEASE SAVEPOINT statement');
      return result;
    } catch (error) {
      await send('ROLLBACK TO SAVEPOINT statement');
      throw error;
    }
  }
  return {
    provider: pool.provider,
    adapterName: pool.adapterName,
    getConnectionInfo: () => pool.getConnectionInfo(),
    queryRaw: (query) => saved(() => transaction.queryRaw(query)),
    executeRaw: (query) => saved(() => transaction.executeRaw(query)),
    executeScript: (sql) => saved(async () => void (await send(sql))),
    startTransaction: () => Promise.reject(new Error('The engine works in the transaction that holds the lock.')),
    dispose: () => Promise.resolve(),
  };
}

/** The package's own entry imports the .wasm file as bundlers do; Node 20 cannot, so it is instantiated here. */
async function load(): Promise<void> {
  const glue = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const bytes = await readFile(join(dirname(glue), 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': withoutTimers({ ...engine }) });
  engine.__wbg_set_wasm(instance.exports);
  const start = instance.exports['__wbindgen_start'];
  if (typeof start === 'function') start();
}

/** The engine leaves a timer of ten seconds behind, which would keep a command running that has nothing left to do. */
function withoutTimers(imports: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(imports).map(([name, value]) => [
      name,
      name.startsWith('__wbg_setTimeout') && typeof value === 'function'
        ? (...args: unknown[]) => {
            const timer: unknown = Reflect.apply(value, undefined, args);
            if (timer instanceof Object && 'unref' in timer && typeof timer.unref === 'function') timer.unref();
            return timer;
          }
        : value,
    ]),
  );
}
