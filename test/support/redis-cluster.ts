import { choosePort, makeSecret } from '@landline/local-servers';
import { vi } from 'vitest';
import { startPrivateRedis, type PrivateRedis } from './private-redis.ts';

const SLOTS = 16_384;
/** How long a node may be silent before the others hold it for dead, in milliseconds. */
const NODE_TIMEOUT_MS = 1000;

/** A Redis Cluster of a test. Node `i` is the master of the i-th part of the slots; replicas follow, in the same order. */
export interface RedisCluster {
  /** `redis+cluster://…`, with the password. */
  url: string;
  masters: readonly PrivateRedis[];
  replicas: readonly PrivateRedis[];
  /** Moves the slot of a key from one master to another, with all of its keys, as `redis-cli --cluster reshard` does. */
  moveSlotOf: (key: string, from: PrivateRedis, to: PrivateRedis) => Promise<void>;
  remove: () => Promise<void>;
}

/** Starts a Cluster of three masters on loopback, each with a replica where that is wanted. */
export async function startRedisCluster({ hasReplicas = false } = {}): Promise<RedisCluster> {
  const password = makeSecret();
  const nodes = await Promise.all(Array.from({ length: hasReplicas ? 6 : 3 }, () => startNode(password)));
  const [masters, replicas] = [nodes.slice(0, 3), nodes.slice(3)];
  await join(nodes, masters);
  await Promise.all(replicas.map((replica, i) => follow(replica, masters[i])));
  await vi.waitUntil(async () => (await Promise.all(nodes.map(isWell))).every(Boolean), {
    timeout: 20_000,
    interval: 50,
  });
  if (hasReplicas) {
    await vi.waitUntil(async () => (await Promise.all(replicas.map(isLinked))).every(Boolean), {
      timeout: 20_000,
      interval: 50,
    });
  }
  const hosts = nodes.map(({ url }) => new URL(url).host).join(',');
  return {
    url: `redis+cluster://:${password}@${hosts}`,
    masters,
    replicas,
    moveSlotOf,
    remove: async () => void (await Promise.all(nodes.map((node) => node.remove()))),
  };
}

async function startNode(password: string): Promise<PrivateRedis> {
  // By default the port of the bus is 10,000 higher, which may be no port at all.
  const busPort = String(await choosePort(0));
  const args = ['--cluster-enabled', 'yes', '--cluster-port', busPort, '--masterauth', password];
  const fast = ['--cluster-node-timeout', String(NODE_TIMEOUT_MS), '--repl-diskless-sync-delay', '0'];
  const node = await startPrivateRedis([...args, ...fast, '--cluster-require-full-coverage', 'no'], { password });
  busPorts.set(node, busPort);
  return node;
}

const busPorts = new WeakMap<PrivateRedis, string>();

async function join(nodes: readonly PrivateRedis[], masters: readonly PrivateRedis[]): Promise<void> {
  await Promise.all(
    masters.map((master, i) => {
      const bounds = [i, i + 1].map((at) => Math.floor((at * SLOTS) / masters.length));
      return master.run(['CLUSTER', 'ADDSLOTSRANGE', String(bounds[0]), String((bounds[1] ?? 0) - 1)]);
    }),
  );
  await Promise.all(nodes.map((node, i) => node.run(['CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1)])));
  const [first, ...others] = nodes;
  for (const other of others) {
    const { hostname, port } = new URL(other.url);
    // oxlint-disable-next-line no-await-in-loop -- six at most
    await first?.run(['CLUSTER', 'MEET', hostname, port, busPorts.get(other) ?? '']);
  }
  const known = (node: PrivateRedis) =>
    infoOf(node).then((info) => info.includes(`cluster_known_nodes:${nodes.length}`));
  await vi.waitUntil(async () => (await Promise.all(nodes.map(known))).every(Boolean), {
    timeout: 20_000,
    interval: 50,
  });
}

const infoOf = async (node: PrivateRedis) => String(await node.run(['CLUSTER', 'INFO']));
const idOf = async (node: PrivateRedis) => String(await node.run(['CLUSTER', 'MYID']));
const isWell = async (node: PrivateRedis) => (await infoOf(node)).includes('cluster_state:ok');
const isLinked = async (node: PrivateRedis) =>
  String(await node.run(['INFO', 'replication'])).includes('master_link_status:up');

async function follow(replica: PrivateRedis, master: PrivateRedis | undefined): Promise<void> {
  if (master === undefined) return;
  const id = await idOf(master);
  await vi.waitUntil(
    () =>
      replica.run(['CLUSTER', 'REPLICATE', id]).then(
        () => true,
        () => false,
      ),
    {
      timeout: 20_000,
      interval: 50,
    },
  );
}

async function moveSlotOf(key: string, from: PrivateRedis, to: PrivateRedis): Promise<void> {
  const slot = String(await from.run(['CLUSTER', 'KEYSLOT', key]));
  const [source, target] = await Promise.all([idOf(from), idOf(to)]);
  const { hostname, port, password } = new URL(to.url);
  await to.run(['CLUSTER', 'SETSLOT', slot, 'IMPORTING', source]);
  await from.run(['CLUSTER', 'SETSLOT', slot, 'MIGRATING', target]);
  for (;;) {
    // oxlint-disable no-await-in-loop -- batch after batch
    const keys = await from.run(['CLUSTER', 'GETKEYSINSLOT', slot, '100']);
    if (!Array.isArray(keys) || keys.length === 0) break;
    await from.run(['MIGRATE', hostname, port, '', '0', '5000', 'AUTH', password, 'KEYS', ...keys.map(String)]);
    // oxlint-enable no-await-in-loop
  }
  for (const node of [to, from]) {
    // oxlint-disable-next-line no-await-in-loop -- the new master first
    await node.run(['CLUSTER', 'SETSLOT', slot, 'NODE', target]);
  }
}
