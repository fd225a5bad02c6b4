import { join } from 'node:path';
import { makeSecret } from '@landline/local-servers';
import { tlsArguments } from './certificate.ts';
import { startPrivateRedis, type PrivateRedis } from './private-redis.ts';
import { chooseQuietPort } from './quiet-port.ts';
import type { ReplicatedOptions } from './redis-sentinel.ts';
import { untilSeen } from './until-seen.ts';

const SLOTS = 16_384;
/** How long a node may be silent before the others hold it for dead, in milliseconds. */
const NODE_TIMEOUT_MS = 2000;
const KEYS_AT_ONCE = 100;
const PORT_CHOICES = 3;

/** A Redis Cluster of a test. Node `i` is the master of the i-th part of the slots; replicas follow, in the same order. */
export interface RedisCluster {
  /** `redis+cluster://…`, or `rediss+cluster://…`, with the password. */
  url: string;
  /** As they are at first. */
  masters: readonly PrivateRedis[];
  replicas: readonly PrivateRedis[];
  remove: () => Promise<void>;
}

/** A node with the ports by which others reach it. */
interface Node {
  redis: PrivateRedis;
  port: string;
  busPort: string;
}

/** Starts a Cluster of three masters on loopback, each with a replica where that is wanted. */
export async function startRedisCluster({
  hasReplicas = false,
  certificate,
  folder,
}: ReplicatedOptions & { hasReplicas?: boolean } = {}): Promise<RedisCluster> {
  const password = makeSecret();
  const start = (_: unknown, i: number) =>
    startNode(password, { certificate, folder: folder && join(folder, `node-${i + 1}`) });
  const nodes = await Promise.all(Array.from({ length: hasReplicas ? 6 : 3 }, start));
  const [masters, replicas] = [nodes.slice(0, 3), nodes.slice(3)];
  await joinNodes(nodes, masters);
  await Promise.all(replicas.map((replica, i) => follow(replica, masters[i])));
  await untilSeen('each node knows the masters of all slots', () => areAll(nodes, isWell));
  await untilSeen('each replica has all that its master has', () => areAll(replicas, isLinked));
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`).join(',');
  return {
    url: `${certificate ? 'rediss' : 'redis'}+cluster://:${password}@${hosts}`,
    masters: masters.map(({ redis }) => redis),
    replicas: replicas.map(({ redis }) => redis),
    remove: async () => void (await Promise.all(nodes.map(({ redis }) => redis.remove()))),
  };
}

/** Starts a node. A port that was free may be taken by the time that the server opens it: then the node gets others. */
async function startNode(password: string, options: ReplicatedOptions): Promise<Node> {
  for (let left = PORT_CHOICES; ; left--) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one choice after the other
      return await startOnFreePorts(password, options);
    } catch (error) {
      if (left === 1) throw error;
    }
  }
}

async function startOnFreePorts(password: string, { certificate, folder }: ReplicatedOptions): Promise<Node> {
  // By default the port of the bus is 10,000 higher, which may be no port at all.
  const busPort = String(await chooseQuietPort());
  const tlsPort = certificate && (await chooseQuietPort());
  const args = ['--cluster-enabled', 'yes', '--cluster-port', busPort, '--masterauth', password];
  const fast = ['--cluster-node-timeout', String(NODE_TIMEOUT_MS), '--repl-diskless-sync-delay', '0'];
  const tls =
    certificate && tlsPort !== undefined ? [...tlsArguments(certificate, tlsPort), '--tls-cluster', 'yes'] : [];
  const all = [...args, ...fast, '--cluster-require-full-coverage', 'no', ...tls];
  const redis = await startPrivateRedis(all, { password, dir: folder });
  return { redis, port: String(tlsPort ?? new URL(redis.url).port), busPort };
}

/** Gives the masters their slots, and makes all nodes one Cluster. */
async function joinNodes(nodes: readonly Node[], masters: readonly Node[]): Promise<void> {
  await Promise.all(
    masters.map(({ redis }, i) => {
      const bounds = [i, i + 1].map((at) => Math.floor((at * SLOTS) / masters.length));
      return redis.run(['CLUSTER', 'ADDSLOTSRANGE', String(bounds[0]), String((bounds[1] ?? 0) - 1)]);
    }),
  );
  await Promise.all(nodes.map(({ redis }, i) => redis.run(['CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1)])));
  const [first, ...others] = nodes;
  for (const { port, busPort } of others) {
    // oxlint-disable-next-line no-await-in-loop -- six at most
    await first?.redis.run(['CLUSTER', 'MEET', '127.0.0.1', port, busPort]);
  }
  const known = async ({ redis }: Node) => (await infoOf(redis)).includes(`cluster_known_nodes:${nodes.length}`);
  await untilSeen('each node knows the others', () => areAll(nodes, known));
}

const areAll = async (nodes: readonly Node[], are: (node: Node) => Promise<boolean>) =>
  (await Promise.all(nodes.map(are))).every(Boolean);
const infoOf = async (node: PrivateRedis) => String(await node.run(['CLUSTER', 'INFO']));
const idOf = async (node: PrivateRedis) => String(await node.run(['CLUSTER', 'MYID']));
const isWell = async ({ redis }: Node) => (await infoOf(redis)).includes('cluster_state:ok');
const isLinked = async ({ redis }: Node) =>
  String(await redis.run(['INFO', 'replication'])).includes('master_link_status:up');

async function follow({ redis: replica }: Node, master: Node | undefined): Promise<void> {
  if (master === undefined) return;
  const id = await idOf(master.redis);
  const knowsIt = () =>
    replica.run(['CLUSTER', 'REPLICATE', id]).then(
      () => true,
      () => false,
    );
  await untilSeen('the replica knows its master', knowsIt);
}

/** Which slot to move, and where it is to go. */
export interface SlotMove {
  /** A key in the slot. */
  key: string;
  from: PrivateRedis;
  to: PrivateRedis;
  /** Is called when one key has moved, and the others have not. */
  midway?: () => Promise<void>;
}

/** Moves a slot of a Cluster without TLS with all of its keys, as `redis-cli --cluster reshard` does. */
export async function moveSlot({ key, from, to, midway }: SlotMove): Promise<void> {
  const slot = String(await from.run(['CLUSTER', 'KEYSLOT', key]));
  const [source, target] = await Promise.all([idOf(from), idOf(to)]);
  const { hostname, port, password } = new URL(to.url);
  await to.run(['CLUSTER', 'SETSLOT', slot, 'IMPORTING', source]);
  await from.run(['CLUSTER', 'SETSLOT', slot, 'MIGRATING', target]);
  const migrate = async (most: number): Promise<boolean> => {
    const keys = await from.run(['CLUSTER', 'GETKEYSINSLOT', slot, String(most)]);
    if (!Array.isArray(keys) || keys.length === 0) return false;
    await from.run(['MIGRATE', hostname, port, '', '0', '5000', 'AUTH', password, 'KEYS', ...keys.map(String)]);
    return true;
  };
  if (midway !== undefined) {
    await untilSeen('a key of the slot has moved', () => migrate(1));
    await midway();
  }
  // oxlint-disable-next-line no-await-in-loop -- batch after batch
  while (await migrate(KEYS_AT_ONCE));
  for (const node of [to, from]) {
    // oxlint-disable-next-line no-await-in-loop -- the new master first
    await node.run(['CLUSTER', 'SETSLOT', slot, 'NODE', target]);
  }
}
