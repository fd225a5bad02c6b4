import { readFileSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { cpus, release, totalmem, type as systemName } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ROOT } from '../test/support/root.ts';
import { runSql } from '../test/support/run-sql.ts';
import { withRedis } from '../test/support/with-redis.ts';
import { median } from './results.ts';
import type { Services } from './services.ts';

/** The machine of a run: enough to judge the figures, and nothing that identifies the machine. */
export interface Machine {
  cpu: string;
  cores: number;
  /** GiB, rounded. */
  memoryGb: number;
  kernel: string;
  /** Median time to write and fsync 4 KB, in milliseconds. Every durable 200 and every commit waits for an fsync. */
  fsyncMs: number;
  versions: Record<string, string>;
}

const FSYNCS = 200;
const PACKAGES = ['bullmq', 'prisma', 'fastify', 'pg-boss'] as const;

/** Describes this machine and its servers. `folder` lies on the disk of their data. */
export async function describeMachine(folder: string, services: Services): Promise<Machine> {
  const info = await withRedis(services.redis.url, (connection) => connection.info('server'));
  const redis = /^(?:redis|valkey)_version:(\S+)/m.exec(info)?.[1] ?? 'unknown';
  const [row] = await runSql<{ server_version: string }>(services.postgres.url, 'SHOW server_version');
  const postgres = row?.server_version ?? 'unknown';
  const packages = PACKAGES.map((name) => [name, packageVersion(name)] as const);
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

/** Reads the version of a package from its file: a package need not export its manifest. */
function packageVersion(name: string): string {
  const manifest = readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(manifest)).version;
}
