import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg';

/** The part that is used here: TypeScript has WebAssembly only among the browser's types. */
declare const WebAssembly: {
  instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: Record<string, unknown> } }>;
};

let loaded: Promise<void> | undefined;

/**
 * Runs `work` with Prisma's schema engine, the one behind `prisma migrate deploy`, as WebAssembly from npm: the native
 * one is downloaded from a host that many networks do not reach.
 *
 * @param databaseUrl  The database to work on; no connection to it is left open.
 */
export async function withSchemaEngine<T>(
  databaseUrl: string,
  work: (schemaEngine: engine.SchemaEngine) => Promise<T>,
): Promise<T> {
  loaded ??= load();
  await loaded;
  const postgres = new ClosablePg({ connectionString: databaseUrl });
  try {
    const factory = bindMigrationAwareSqlAdapterFactory(postgres);
    const schemaEngine = await engine.SchemaEngine.new({ datamodels: undefined }, () => {}, factory);
    try {
      return await work(schemaEngine);
    } finally {
      schemaEngine.free();
    }
  } finally {
    await postgres.close();
  }
}

/** The engine never closes the connections it asks for, and the adapter would run a script's statements one by one. */
class ClosablePg extends PrismaPg {
  readonly #opened: { dispose(): Promise<void> }[] = [];

  override async connect(): ReturnType<PrismaPg['connect']> {
    const adapter = await super.connect();
    this.#opened.push(adapter);
    // In one message, so that a migration is applied whole or not at all, as `prisma migrate deploy` does it.
    adapter.executeScript = async (sql) => void (await adapter.executeRaw({ sql, args: [], argTypes: [] }));
    return adapter;
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.map((adapter) => adapter.dispose()));
  }
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
