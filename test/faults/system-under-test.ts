import { chmod, mkdir, realpath, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { readQueueServers, shardPlaces } from '@landline/queue';
import { migrate } from '@landline/store';
import { countEffects } from '../support/count-effects.ts';
import { chooseQuietPort } from '../support/quiet-port.ts';
import { seededRandom, type SeededRandom } from '../support/seeded-random.ts';
import type { App } from './app.ts';
import { createApps, throughLink } from './apps.ts';
import { createClocks, type Clocks } from './clocks.ts';
import { createEventLoad, POISONOUS, type EventLoad } from './event-load.ts';
import { stopLeftOvers } from './left-overs.ts';
import { startLink, type Line, type Link, type Links } from './link.ts';
import { mountSmallDisk, setReadOnly, unmount, type SmallDisk } from './mounts.ts';
import { startPostgresServer, type PostgresServer } from './postgres-server.ts';
import { startRecordingStorage, type RecordingStorage } from './recording-storage.ts';
import { startRedisNodes, type RedisKind, type RedisNodes } from './redis-nodes.ts';
import { startRedisServer, type RedisServer } from './redis-server.ts';
import { createSender, type Sender } from './sender.ts';
import { createSentEvents, type SentEvents } from './sent-events.ts';

/** Everything that can be broken: two receivers with one journal, two workers, a Redis and a Postgres of the suite's own. */
export interface SystemUnderTest {
  receivers: readonly App[];
  workers: readonly App[];
  links: Links;
  /** The one that the proxies lead to now. @throws Where Redis has several nodes. */
  readonly redis: RedisServer;
  /** Where Redis has several nodes, these. */
  nodes: RedisNodes | undefined;
  /** Leads the keys of each shard. */
  shardPrefixes: readonly string[];
  postgres: PostgresServer;
  journalDir: string;
  spoolDir: string;
  /** Where the receivers store recordings, each by its own link. */
  storage: RecordingStorage;
  /** Where the table of effects lies, or why it lies with the others. */
  smallDisk: SmallDisk | { reason: string };
  /** Where a journal may lie for a while, or why it cannot. */
  journalDisk: SmallDisk | { reason: string };
  /** By the names of the apps and `REDIS_CLOCK`, or why all read the machine's. */
  clocks: Clocks | { reason: string };
  /** By which Redis reads `REDIS_CLOCK`; nothing where there are no clocks. */
  redisEnv: Readonly<Record<string, string>>;
  load: EventLoad;
  sent: SentEvents;
  sender: Sender;
  /** For what is broken and when; the load has a chance of its own. */
  random: SeededRandom;
  folder: string;
  /** Lets another Redis take the place of the one there is, which must be gone. */
  failOverTo: (redis: RedisServer) => Promise<void>;
  /** Ends everything and removes the folder. @throws When something did not end as it should. */
  stop: () => Promise<void>;
}

export interface SystemOptions {
  /** On the disk that is to be used; emptied first. */
  folder: string;
  /** A word that no other run has. */
  run: string;
  deliveriesPerSecond: number;
  seed: number;
  /** `server` by default. */
  redis?: RedisKind | undefined;
}

const PROCESSES_EACH = [0, 1];

/** The name of the clock that Redis reads. */
export const REDIS_CLOCK = 'redis';

/** By how much clocks are stepped, in seconds. */
export const STEP_SECONDS = 3 * 3600;

/** Starts everything; the sender sends nothing yet. */
export async function startSystem(options: SystemOptions): Promise<SystemUnderTest> {
  const { folder, run, deliveriesPerSecond, seed } = options;
  await clear(folder);
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755); // as root, Postgres runs as another user
  const stops: (() => Promise<unknown>)[] = [() => clear(folder)];
  const stop = async () => {
    const failures: unknown[] = [];
    for (const each of stops.splice(0).toReversed()) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- in the reverse order of their start
        await each();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, `Not all ended as it should: ${failures.join('; ')}`);
  };
  try {
    return await startParts();
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }

  async function startParts(): Promise<SystemUnderTest> {
    const clocks = await createClocks(folder);
    if ('set' in clocks) stops.push(clocks.remove);
    const redisEnv = 'set' in clocks ? await clocks.environmentOf(REDIS_CLOCK) : {};
    const { nodes, redis: firstRedis, ...parts } = await startRedisParts(options, redisEnv);
    let redis = firstRedis;
    stops.push(async () => Promise.all([redis?.stop(), nodes?.remove()]));
    const postgres = await startPostgresServer(join(folder, 'postgres'));
    stops.push(postgres.stop, postgres.close);
    await migrate(postgres.url);
    const smallDisk = await mountSmallDisk(diskIn(folder), await stat(join(folder, 'postgres')));
    const journalDisk = await mountSmallDisk(journalDiskIn(folder), await stat(folder));
    if ('path' in smallDisk) await postgres.sql(`CREATE TABLESPACE small_disk LOCATION '${smallDisk.path}'`);
    await countEffects(postgres.sql, 'path' in smallDisk ? 'small_disk' : undefined);
    await postgres.sql(`ALTER TABLE conversation_messages ADD CONSTRAINT no_poison CHECK (content <> '${POISONOUS}')`);

    const storage = await startRecordingStorage();
    stops.push(storage.close);
    const ports = () => Promise.all(PROCESSES_EACH.map(() => chooseQuietPort()));
    const linksTo = async (targets: readonly number[]) => {
      const links = await Promise.all(targets.map((port) => startLink(port)));
      stops.push(() => Promise.all(links.map((link) => link.close())));
      return links;
    };
    const [receiverPorts, workerPorts, healthPorts] = [await ports(), await ports(), await ports()];
    const redisPorts = PROCESSES_EACH.flatMap(() => firstRedis?.port ?? []);
    const links: Record<Line, Link[]> = {
      'sender-receiver': await linksTo(receiverPorts),
      'receiver-Redis': await linksTo(redisPorts),
      'receiver-storage': await linksTo(PROCESSES_EACH.map(() => storage.port)),
      'worker-Redis': await linksTo(redisPorts),
      'worker-Postgres': await linksTo(PROCESSES_EACH.map(() => postgres.port)),
    };
    const [journalDir, spoolDir] = [join(folder, 'journal'), join(folder, 'spool')];
    const { receivers, workers } = await createApps({
      folder,
      links,
      redisUrl: parts.urlBy,
      postgresUrl: postgres.url,
      journalDir,
      spoolDir,
      storageEnv: storage.environment,
      ports: { receivers: receiverPorts, health: healthPorts, workers: workerPorts },
      clocks,
    });
    stops.push(() => Promise.allSettled([...receivers, ...workers].map((app) => app.stop())));
    await Promise.all([...receivers, ...workers].map((app) => app.start()));

    const sent = createSentEvents();
    const chance = seededRandom(seed + 1);
    const load = createEventLoad({ run, seed, random: chance, sent });
    const targets = links['sender-receiver'].map(({ port }, i) => ({
      port,
      isServing: () => receivers[i]?.isServing() ?? false,
    }));
    const sender = createSender({ targets, deliveriesPerSecond, load, sent, random: chance });
    stops.push(() => sender.stop());
    return {
      receivers,
      workers,
      links,
      get redis() {
        if (redis === undefined) throw new Error('Redis has several nodes.');
        return redis;
      },
      nodes,
      shardPrefixes: parts.shardPrefixes,
      postgres,
      journalDir,
      spoolDir,
      storage,
      smallDisk,
      journalDisk,
      clocks,
      redisEnv,
      load,
      sent,
      sender,
      random: seededRandom(seed),
      folder,
      async failOverTo(next) {
        const old = redis;
        redis = next;
        for (const link of [...links['receiver-Redis'], ...links['worker-Redis']]) {
          link.leadTo(next.port);
          link.reset();
        }
        await old?.wipe();
      },
      stop,
    };
  }
}

/** One server, or several nodes, and how the apps reach them. */
interface RedisParts {
  redis?: RedisServer;
  nodes?: RedisNodes;
  /** REDIS_URL by an app's own link; the nodes have no links. */
  urlBy: (link: Link | undefined) => string;
  shardPrefixes: readonly string[];
}

async function startRedisParts(
  { folder, redis: kind = 'server' }: SystemOptions,
  env: Readonly<Record<string, string>>,
): Promise<RedisParts> {
  if (kind === 'server') {
    const redis = await startRedisServer(join(folder, 'redis'), { env });
    const url = `redis://:${redis.password}@127.0.0.1`;
    return { redis, urlBy: (link) => throughLink(link, url), shardPrefixes: await prefixesOf(url) };
  }
  const nodes = await startRedisNodes(kind, folder);
  return { nodes, urlBy: () => nodes.url, shardPrefixes: await prefixesOf(nodes.url) };
}

/** The prefixes of the shards that the apps make of this REDIS_URL by themselves. */
async function prefixesOf(redisUrl: string): Promise<string[]> {
  return shardPlaces(await readQueueServers({ REDIS_URL: redisUrl })).map(({ prefix }) => prefix);
}

const diskIn = (folder: string): string => join(folder, 'small-disk');
const journalDiskIn = (folder: string): string => join(folder, 'journal-disk');

/** Removes what a run has left, or one that was killed. Postgres may have had to keep its data elsewhere, under a link. */
async function clear(folder: string): Promise<void> {
  await stopLeftOvers(folder);
  await unmount(diskIn(folder));
  await unmount(journalDiskIn(folder));
  await setReadOnly(join(folder, 'journal'), false).catch(() => undefined);
  const home = await realpath(join(folder, 'postgres')).catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
  if (home !== undefined && relative(folder, home).startsWith('..')) {
    await rm(dirname(home), { recursive: true, force: true });
  }
}
