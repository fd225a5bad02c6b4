import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedisServer, makeSecret, startProcess, thisMachine } from '@landline/local-servers';
import { tlsArguments, tlsSettings, type Certificate } from './certificate.ts';
import { startPrivateRedis, type PrivateRedis } from './private-redis.ts';
import { chooseQuietPort } from './quiet-port.ts';
import { untilSeen } from './until-seen.ts';

/** A master and a replica that one Sentinel watches. */
export interface WatchedRedis {
  /** `redis+sentinel://…`, or `rediss+sentinel://…`, with the password. */
  url: string;
  /** As they are at first. */
  master: PrivateRedis;
  replica: PrivateRedis;
  remove: () => Promise<void>;
}

/** How to start servers that replicate each other. */
export interface ReplicatedOptions {
  /** With which they, and whoever watches them, speak TLS; undefined: they do not. */
  certificate?: Certificate | undefined;
  /** The folder of their data; by default each has a temporary one. */
  folder?: string | undefined;
}

/** Starts a master, a replica and a Sentinel that promotes the replica half a second after the master is gone. */
export async function startWatchedRedis({ certificate, folder }: ReplicatedOptions = {}): Promise<WatchedRedis> {
  const password = makeSecret();
  const start = async (name: string) => {
    const port = certificate && (await chooseQuietPort());
    const args = ['--masterauth', password, '--repl-diskless-sync-delay', '0'];
    const tls = certificate && port !== undefined ? tlsArguments(certificate, port) : [];
    const dir = folder && join(folder, name);
    const server = await startPrivateRedis([...args, ...tls], { password, dir });
    return { server, port: String(port ?? new URL(server.url).port) };
  };
  const [master, replica] = [await start('master'), await start('replica')];
  // By a command, not by an argument: a server that was promoted and is started again must not follow its first master.
  await replica.server.run(['REPLICAOF', '127.0.0.1', master.port]);
  const sentinel = await startSentinel({ masterPort: master.port, password, certificate });
  const isFollowed = async () => String(await master.server.run(['INFO', 'replication'])).includes('state=online');
  await untilSeen('the replica follows the master', isFollowed);
  return {
    url: `${certificate ? 'rediss' : 'redis'}+sentinel://:${password}@127.0.0.1:${sentinel.port}/calls`,
    master: master.server,
    replica: replica.server,
    async remove() {
      await sentinel.stop();
      await Promise.all([master.server.remove(), replica.server.remove()]);
    },
  };
}

interface SentinelOptions {
  masterPort: string;
  password: string;
  certificate: Certificate | undefined;
}

async function startSentinel({ masterPort, password, certificate }: SentinelOptions) {
  const folder = await mkdtemp(join(tmpdir(), 'landline-sentinel-'));
  await chmod(folder, 0o755);
  const port = await chooseQuietPort();
  const file = join(folder, 'sentinel.conf');
  const tls = certificate ? tlsSettings(certificate, port).map((setting) => setting.join(' ')) : [];
  await writeFile(
    file,
    `bind 127.0.0.1
port ${certificate ? 0 : port}
${tls.join('\n')}
sentinel monitor calls 127.0.0.1 ${masterPort} 1
sentinel auth-pass calls ${password}
sentinel down-after-milliseconds calls 500
sentinel failover-timeout calls 3000
`,
  );
  const sentinel = await startProcess({
    command: await findRedisServer(thisMachine(process.env['PATH'])),
    args: [file, '--sentinel'],
    env: { PATH: process.env['PATH'] },
    endsWithUs: true,
  });
  // It reads of replicas every ten seconds, and at once when it starts to watch.
  await sentinel.until(() => sentinel.output().includes('+slave'));
  return {
    port,
    async stop() {
      await sentinel.stop(1000);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
