import { setTimeout as wait } from 'node:timers/promises';
import type { PrivateRedis } from '../support/private-redis.ts';
import { moveSlot } from '../support/redis-cluster.ts';
import { untilSeen } from '../support/until-seen.ts';
import type { StartOptions } from './app.ts';
import { sumOf } from './evidence.ts';
import { anyOf, between, type Fault } from './fault.ts';
import { emptyWhileLettersRest } from './event-faults.ts';
import { isMaster, mastersOf, replicaOf, untilWhole, type RedisKind, type RedisNodes } from './redis-nodes.ts';
import type { SystemUnderTest } from './system-under-test.ts';

/** A fault of a Redis of several nodes. */
export interface NodeFault extends Fault {
  /** What REDIS_URL may name. */
  kinds: readonly RedisKind[];
}

const ALL: readonly RedisKind[] = ['servers', 'sentinel', 'cluster'];
const REPLICATED: readonly RedisKind[] = ['sentinel', 'cluster'];
const CLUSTER: readonly RedisKind[] = ['cluster'];

const AWAY_MS = 500;
const LONG_AWAY_MS = 5000;
/** How far behind a replica is when it takes over, in ms. */
const LAG_MS = 2000;
/** How long processes run with another number of shards, in ms. */
const OTHER_SHARDS_MS = 5000;

interface Broken {
  system: SystemUnderTest;
  nodes: RedisNodes;
  /** One of the masters, by chance. */
  master: PrivateRedis;
}

/** Makes a fault of one master: afterwards every node runs again, and each master has its replica. */
function ofMaster(inject: (broken: Broken) => Promise<void>): Fault['inject'] {
  return async (system) => {
    const nodes = nodesOf(system);
    const master = anyOf(system, await mastersOf(nodes));
    await wait(between(system, 0, 500));
    try {
      await inject({ system, nodes, master });
    } finally {
      for (const node of nodes.all.filter((each) => !each.isRunning())) {
        // oxlint-disable-next-line no-await-in-loop -- two at most
        await node.restart();
      }
    }
    await untilWhole(nodes);
  };
}

function nodesOf({ nodes }: SystemUnderTest): RedisNodes {
  if (nodes === undefined) throw new Error('Redis is a single server.');
  return nodes;
}

const untilPromoted = (replica: PrivateRedis) => untilSeen('the replica is the master', () => isMaster(replica));

async function killUntilPromoted({ nodes, master }: Broken): Promise<void> {
  const replica = await replicaOf(nodes, master);
  await master.kill();
  await untilPromoted(replica);
}

/** The replica cannot log in to its master any more, so it hears nothing; then the master dies, and the replica takes its place. */
async function promoteOneThatLags({ nodes, master }: Broken): Promise<void> {
  const replica = await replicaOf(nodes, master);
  const { password } = new URL(master.url);
  await replica.run(['CONFIG', 'SET', 'masterauth', 'of another server']);
  try {
    await master.run(['CLIENT', 'KILL', 'TYPE', 'replica']);
    await wait(LAG_MS);
    await master.kill();
    await untilPromoted(replica);
  } finally {
    await replica.run(['CONFIG', 'SET', 'masterauth', password]);
  }
}

async function freeze({ nodes, master }: Broken): Promise<void> {
  const replica = nodes.kind === 'servers' ? undefined : await replicaOf(nodes, master);
  master.freeze();
  try {
    await wait(LONG_AWAY_MS);
    if (replica !== undefined) await untilPromoted(replica);
  } finally {
    master.thaw();
  }
}

async function fill({ system, master }: Broken): Promise<void> {
  const used = /used_memory:(\d+)/.exec(String(await master.run(['INFO', 'memory'])))?.[1];
  try {
    await master.run(['CONFIG', 'SET', 'maxmemory', String(Math.ceil(Number(used) / 2))]);
    const isAway = async () => (await sumOf(system.receivers, 'landline_redis_shards_away')) > 0;
    await untilSeen('the receivers write to no full master', isAway);
    await wait(LAG_MS);
  } finally {
    await master.run(['CONFIG', 'SET', 'maxmemory', '0']);
  }
}

/** Moves the slot of a shard, by chance which, from the master that has it to another. */
async function moveShard({ system, nodes }: Broken, midway?: () => Promise<void>): Promise<void> {
  const key = `${anyOf(system, system.shardPrefixes)}:slot`;
  const masters = await mastersOf(nodes);
  const owns = (master: PrivateRedis) =>
    master.run(['EXISTS', key]).then(
      () => true,
      () => false,
    );
  const areOwners = await Promise.all(masters.map(owns));
  const from = masters.find((_, i) => areOwners[i]);
  if (from === undefined) throw new Error('No master has the slot of the shard.');
  const to = anyOf(
    system,
    masters.filter((master) => master !== from),
  );
  await moveSlot({ key, from, to, ...(midway && { midway }) });
}

async function changeShards({ receivers, workers, shardPrefixes }: SystemUnderTest): Promise<void> {
  const other = shardPrefixes.length === 1 ? '4' : '1';
  const starts: readonly NonNullable<StartOptions['env']>[] = [{ QUEUE_SHARDS: other }, {}];
  for (const env of starts) {
    // oxlint-disable no-await-in-loop -- one process after the other
    for (const app of [...receivers, ...workers]) {
      await app.stop();
      await app.start({ env });
    }
    await wait(OTHER_SHARDS_MS);
    // oxlint-enable no-await-in-loop
  }
}

/** Faults of a Redis of several nodes. */
export const NODE_FAULTS: readonly NodeFault[] = [
  {
    name: 'a master killed, and its replica takes over',
    how: 'SIGKILL at a random moment; started again when the replica is the master',
    kinds: REPLICATED,
    inject: ofMaster(killUntilPromoted),
  },
  {
    name: 'a master killed, and started again',
    how: 'SIGKILL at a random moment; started again half a second later, by when its replica may have taken over',
    kinds: ALL,
    inject: ofMaster(async ({ master }) => {
      await master.kill();
      await wait(AWAY_MS);
    }),
  },
  {
    name: 'a master away for 5 s, its replica with it',
    how: 'SIGKILL of both; both started again',
    kinds: ALL,
    inject: ofMaster(async ({ nodes, master }) => {
      const replica = nodes.kind === 'servers' ? [] : [await replicaOf(nodes, master)];
      await Promise.all([master, ...replica].map((node) => node.kill()));
      await wait(LONG_AWAY_MS);
    }),
  },
  {
    name: 'every node away for 5 s',
    how: 'SIGKILL of all; all started again',
    kinds: ALL,
    inject: ofMaster(async ({ nodes }) => {
      await Promise.all(nodes.all.map((node) => node.kill()));
      await wait(LONG_AWAY_MS);
    }),
  },
  {
    name: 'a master and a worker killed together',
    how: 'SIGKILL of both; the worker is started again at once, the master half a second later',
    kinds: ALL,
    inject: ofMaster(async ({ system, master }) => {
      const worker = anyOf(system, system.workers);
      await Promise.all([master.kill(), worker.crash()]);
      await Promise.all([worker.start(), wait(AWAY_MS)]);
    }),
  },
  {
    name: 'a master frozen for 5 s',
    how: 'SIGSTOP, SIGCONT when its replica, if it has one, has taken over; it must follow then',
    kinds: ALL,
    inject: ofMaster(freeze),
  },
  {
    name: 'a failover that is asked for',
    how: 'CLUSTER FAILOVER: the replica takes over, and nobody dies',
    kinds: CLUSTER,
    inject: ofMaster(async ({ nodes, master }) => {
      const replica = await replicaOf(nodes, master);
      await replica.run(['CLUSTER', 'FAILOVER']);
      await untilPromoted(replica);
    }),
  },
  {
    name: 'a failover to a replica that lags behind',
    how: 'the replica cannot log in to its master for 2 s; SIGKILL of the master; the replica takes over',
    kinds: REPLICATED,
    inject: ofMaster(promoteOneThatLags),
  },
  {
    name: 'a master emptied',
    how: 'FLUSHALL under load, of its replica as well',
    kinds: ALL,
    inject: ofMaster(async ({ master }) => void (await master.run(['FLUSHALL']))),
  },
  {
    name: 'a master emptied while dead letters rest',
    isLong: true,
    how: 'poison until letters rest in Redis, older than what the journal enqueues again; FLUSHALL of one master; each dead event of the ledger must have its letter again within two minutes',
    kinds: ALL,
    inject: ofMaster(({ system, master }) =>
      emptyWhileLettersRest(system, async () => void (await master.run(['FLUSHALL']))),
    ),
  },
  {
    name: 'the disk of a master lost',
    how: 'SIGKILL, its data removed, started empty; a replica then copies nothing, or has taken over',
    kinds: ALL,
    inject: ofMaster(({ master }) => master.loseData()),
  },
  {
    name: 'a master out of memory',
    how: 'CONFIG SET maxmemory to half of what it uses, under noeviction, until the receivers see it and for 2 s more',
    kinds: ALL,
    inject: ofMaster(fill),
  },
  {
    name: 'a slot moved',
    how: 'the slot of a shard moves to another master with all of its keys',
    kinds: CLUSTER,
    inject: ofMaster((broken) => moveShard(broken)),
  },
  {
    name: 'a slot between two masters for 5 s',
    how: 'the same; it stops for so long when one of the keys has moved',
    kinds: CLUSTER,
    inject: ofMaster((broken) => moveShard(broken, () => wait(LONG_AWAY_MS))),
  },
  {
    name: 'another number of shards for 5 s',
    how: 'every receiver and worker is started again with one shard, or with four where there was one, and then as it was',
    kinds: ALL,
    inject: changeShards,
  },
];
