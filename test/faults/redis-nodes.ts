import { join } from 'node:path';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.ts';
import { startRedisCluster } from '../support/redis-cluster.ts';
import { startWatchedRedis } from '../support/redis-sentinel.ts';
import { untilSeen } from '../support/until-seen.ts';

/** What REDIS_URL names: one server, several that know nothing of each other, a master that a Sentinel watches, or a Cluster. */
export const REDIS_KINDS = ['server', 'servers', 'sentinel', 'cluster'] as const;

/** One of `REDIS_KINDS`. */
export type RedisKind = (typeof REDIS_KINDS)[number];

/** A Redis of several nodes, which the apps reach without proxies: nodes tell each other's addresses. */
export interface RedisNodes {
  kind: Exclude<RedisKind, 'server'>;
  /** REDIS_URL of every app. */
  url: string;
  /** Masters and replicas, whichever is which now. */
  all: readonly PrivateRedis[];
  remove: () => Promise<void>;
}

/** How long nodes may take until each master has its replica again, in ms: a Sentinel turns to an old master after ten seconds. */
const WHOLE_LIMIT_MS = 60_000;
const SERVERS = 3;

/** Starts a Redis of several nodes; their data lies in `folder`. */
export async function startRedisNodes(kind: RedisNodes['kind'], folder: string): Promise<RedisNodes> {
  switch (kind) {
    case 'servers': {
      const start = (_: unknown, i: number) => startPrivateRedis([], { dir: join(folder, `redis-${i + 1}`) });
      const all = await Promise.all(Array.from({ length: SERVERS }, start));
      const url = all.map((server) => server.url).join(',');
      return { kind, url, all, remove: async () => void (await Promise.all(all.map((server) => server.remove()))) };
    }
    case 'sentinel': {
      const { url, master, replica, remove } = await startWatchedRedis({ folder });
      return { kind, url, all: [master, replica], remove };
    }
    case 'cluster': {
      const { url, masters, replicas, remove } = await startRedisCluster({ hasReplicas: true, folder });
      return { kind, url, all: [...masters, ...replicas], remove };
    }
  }
}

/** What a node says that it is. */
interface Role {
  node: PrivateRedis;
  isMaster: boolean;
  /** The port of its master, where it has all that the master has. */
  follows: string | undefined;
}

async function rolesOf({ all }: RedisNodes): Promise<Role[]> {
  return Promise.all(
    all.map(async (node) => {
      const role = await node.run(['ROLE']);
      const [kind, , port, state] = Array.isArray(role) ? role.map(String) : [];
      return { node, isMaster: kind === 'master', follows: state === 'connected' ? port : undefined };
    }),
  );
}

/** Returns the masters; every node must run. */
export async function mastersOf(nodes: RedisNodes): Promise<PrivateRedis[]> {
  return (await rolesOf(nodes)).filter((role) => role.isMaster).map(({ node }) => node);
}

/** Returns the replica of a master. @throws When it has none. */
export async function replicaOf(nodes: RedisNodes, master: PrivateRedis): Promise<PrivateRedis> {
  const roles = await rolesOf(nodes);
  const replica = roles.find(({ follows }) => follows === new URL(master.url).port);
  if (replica === undefined) throw new Error('The master has no replica.');
  return replica.node;
}

/** Whether a node is a master, as far as it answers. */
export async function isMaster(node: PrivateRedis): Promise<boolean> {
  return String(await node.run(['ROLE']).catch(() => '')).startsWith('master');
}

/** Waits until every node runs and every master has its replica. @throws When that takes too long. */
export async function untilWhole(nodes: RedisNodes): Promise<void> {
  await untilSeen('each master has its replica', () => isWhole(nodes).catch(() => false), WHOLE_LIMIT_MS);
}

async function isWhole(nodes: RedisNodes): Promise<boolean> {
  const roles = await rolesOf(nodes);
  if (nodes.kind === 'servers') return roles.every((role) => role.isMaster);
  const masters = roles.filter((role) => role.isMaster).map(({ node }) => new URL(node.url).port);
  const followed = new Set(roles.flatMap(({ follows }) => follows ?? []));
  if (masters.length * 2 !== roles.length || !masters.every((port) => followed.has(port))) return false;
  return nodes.kind !== 'cluster' || (await Promise.all(nodes.all.map(isWell))).every(Boolean);
}

async function isWell(node: PrivateRedis): Promise<boolean> {
  const info = String(await node.run(['CLUSTER', 'INFO']));
  return info.includes('cluster_state:ok') && info.includes(`cluster_slots_ok:16384`);
}
