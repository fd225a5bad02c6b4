import { existsSync, readFileSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { cpus, release, totalmem, type as systemName } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { z } from 'zod';
import { median } from './results.ts';
import { withRedis } from './services.ts';

/** What the figures were measured on: enough to judge them by, nothing that names whose machine it is. */
export const machineSchema = z.object({
  cpu: z.string(),
  cores: z.number(),
  /** GiB, rounded. */
  memoryGb: z.number(),
  kernel: z.string(),
  /** Median time to write 4 KB and have it on disk, in milliseconds: what every durable 200 and every commit waits for. */
  fsyncMs: z.number(),
  versions: z.record(z.string(), z.string()),
});

/** See `machineSchema`. */
export type Machine = z.infer<typeof machineSchema>;

/** Where to look. */
export interface MachineOptions {
  /** A folder on the disk that the databases are on. */
  folder: string;
  redisUrl: string;
  databaseUrl: string;
}

const FSYNCS = 200;
const PACKAGES = ['bullmq', 'prisma', 'fastify', 'pg-boss', 'graphile-worker'] as const;

/** Describes this machine and the servers that run on it. */
export async function describeMachine({ folder, redisUrl, databaseUrl }: MachineOptions): Promise<Machine> {
  const [redis, postgres] = [await redisVersion(redisUrl), await postgresVersion(databaseUrl)];
  const packages = PACKAGES.flatMap((name) => {
    const version = packageVersion(name);
    return version === undefined ? [] : [[name, version] as const];
  });
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: `${systemName()} ${release()}`,
    fsyncMs: await measureFsync(folder),
    versions: { Node: process.versions.node, Redis: redis, Postgres: postgres, ...Object.fromEntries(packages) },
  };
}

/** Writes 4 KB to the end of a file and waits until it is on disk, as Redis does for its append-only file. */
async function measureFsync(folder: string): Promise<number> {
  const path = join(folder, 'fsync-probe');
  const file = await open(path, 'w');
  const page = Buffer.alloc(4096, 'x');
  const times: number[] = [];
  try {
    for (let i = 0; i < FSYNCS; i++) {
      const startedAt = performance.now();
      // oxlint-disable no-await-in-loop -- one after the other is what is measured
      await file.write(page);
      await file.datasync();
      times.push(performance.now() - startedAt);
    }
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
  return Number(median(times).toFixed(3));
}

async function redisVersion(redisUrl: string): Promise<string> {
  const info = await withRedis(redisUrl, (redis) => redis.info('server'));
  return /^(?:redis|valkey)_version:(\S+)/m.exec(info)?.[1] ?? 'unknown';
}

async function postgresVersion(databaseUrl: string): Promise<string> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    return rows[0]?.server_version ?? 'unknown';
  } finally {
    await client.end();
  }
}

/** Packages need not show their manifest to others, so it is read from where it lies. */
function packageVersion(name: string): string | undefined {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const manifest = folders.map((folder) => join(folder, name, 'package.json')).find((path) => existsSync(path));
  if (manifest === undefined) return undefined;
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(manifest, 'utf8'))).version;
}
