import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { choosePort, findRedisServer, makeSecret, startProcess, thisMachine } from '@landline/local-servers';
import { vi } from 'vitest';
import { startPrivateRedis, type PrivateRedis } from './private-redis.ts';
import { makeTempFolder } from './temp-folder.ts';

/** A master and a replica that one Sentinel watches. */
export interface WatchedRedis {
  /** `redis+sentinel://…`, with the password. */
  url: string;
  master: PrivateRedis;
  replica: PrivateRedis;
  remove: () => Promise<void>;
}

/** Starts a master, a replica and a Sentinel that promotes the replica half a second after the master is gone. */
export async function startWatchedRedis(): Promise<WatchedRedis> {
  const password = makeSecret();
  const master = await startPrivateRedis(['--masterauth', password], { password });
  const { port } = new URL(master.url);
  const follows = ['--replicaof', '127.0.0.1', port, '--masterauth', password, '--repl-diskless-sync-delay', '0'];
  const replica = await startPrivateRedis(follows, { password });
  const sentinelPort = await choosePort(0);
  const sentinel = await startSentinel({ port: sentinelPort, masterPort: port, password });
  const knows = async () => String(await master.run(['INFO', 'replication'])).includes('state=online');
  await vi.waitUntil(knows, { timeout: 20_000, interval: 50 });
  return {
    url: `redis+sentinel://:${password}@127.0.0.1:${sentinelPort}/calls`,
    master,
    replica,
    async remove() {
      await sentinel.stop(1000);
      await Promise.all([master.remove(), replica.remove()]);
    },
  };
}

async function startSentinel({ port, masterPort, password }: { port: number; masterPort: string; password: string }) {
  const file = join(await makeTempFolder(), 'sentinel.conf');
  await writeFile(
    file,
    `bind 127.0.0.1
port ${port}
sentinel monitor calls 127.0.0.1 ${masterPort} 1
sentinel auth-pass calls ${password}
sentinel down-after-milliseconds calls 500
sentinel failover-timeout calls 3000
`,
  );
  const command = await findRedisServer(thisMachine(process.env['PATH']));
  const sentinel = await startProcess({
    command,
    args: [file, '--sentinel'],
    env: { PATH: process.env['PATH'] },
    endsWithUs: true,
  });
  // It reads of replicas every ten seconds, and at once when it starts to watch.
  await sentinel.until(() => sentinel.output().includes('+slave'));
  return sentinel;
}
