import { Redis } from 'ioredis';
import type { ConnectionOptions } from 'node:tls';
import { z } from 'zod';
import type { HostAndPort, Login, RedisAddress } from './redis-address.ts';

/** How long a node may take to accept a connection, and to answer, in ms. */
const ANSWER_LIMIT_MS = 1000;

/** How many nodes are asked at once. The first answer counts, so a node that hangs delays nothing. */
const ASKED_NODES = 3;

/** The addresses of Redis that need a search: the master changes. */
export type ReplicatedAddress = Exclude<RedisAddress, { kind: 'server' }>;

/** Finds the master. Rejects where no node knows one. */
export type FindMaster = () => Promise<HostAndPort>;

/** A part of the answer to CLUSTER SLOTS: the first slot, the last, and the master. Replicas and names follow. */
const slotsSchema = z.array(
  z.tuple([z.number(), z.number(), z.tuple([z.string().nullable(), z.number()]).rest(z.unknown())]).rest(z.unknown()),
);

const masterSchema = z.tuple([z.string(), z.coerce.number()]);

/** What a search is made with. */
export interface SearchOptions {
  /** The slot of the keys that will be used; a Sentinel's master has all. */
  slot: number;
  tls?: ConnectionOptions | undefined;
}

/**
 * Makes the search for the master of a replicated Redis. Each search asks again.
 *
 * The nodes of a Cluster that were learnt of are asked as well: those of REDIS_URL may be gone.
 */
export function createFindMaster(address: ReplicatedAddress, { slot, tls }: SearchOptions): FindMaster {
  if (address.kind === 'sentinel')
    return () => firstAnswer(address.hosts, (sentinel) => askSentinel(sentinel, address, tls));
  let learnt: HostAndPort[] = [];
  return async () => {
    const ranges = await firstAnswer([...address.hosts, ...learnt], (node) => askNode(node, address.login, tls));
    learnt = ranges.map(({ master }) => master);
    const range = ranges.find(({ first, last }) => first <= slot && slot <= last);
    if (range === undefined) throw new Error(`No master of the Redis Cluster has slot ${slot}.`);
    return range.master;
  };
}

/** A range of slots, and the master that has it. */
export interface SlotRange {
  first: number;
  last: number;
  master: HostAndPort;
}

/** Asks a Cluster which master has which slots. Rejects where no node answers. */
export function readSlots(
  { hosts, login }: Extract<RedisAddress, { kind: 'cluster' }>,
  tls?: ConnectionOptions,
): Promise<SlotRange[]> {
  return firstAnswer(hosts, (node) => askNode(node, login, tls));
}

/** Asks up to three hosts, in a random order. */
async function firstAnswer<T>(hosts: readonly HostAndPort[], ask: (host: HostAndPort) => Promise<T>): Promise<T> {
  const known = [...new Map(hosts.map((host) => [`${host.host} ${host.port}`, host])).values()];
  const chosen = known
    .map((host) => ({ host, at: Math.random() }))
    .toSorted((one, other) => one.at - other.at)
    .slice(0, ASKED_NODES);
  try {
    return await Promise.any(chosen.map(({ host }) => ask(host)));
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  }
}

function askNode(node: HostAndPort, login: Login, tls?: ConnectionOptions): Promise<SlotRange[]> {
  return askOnce({ node, login, tls }, async (connection) => {
    const ranges = slotsSchema.parse(await connection.cluster('SLOTS'));
    return ranges.map(([first, last, [host, port]]) => ({
      first,
      last,
      // A node that does not know its own address leaves it out.
      master: { host: host === null || host === '' || host === '?' ? node.host : host, port },
    }));
  });
}

function askSentinel(
  node: HostAndPort,
  { masterName, sentinelPassword }: Extract<RedisAddress, { kind: 'sentinel' }>,
  tls?: ConnectionOptions,
): Promise<HostAndPort> {
  const login = sentinelPassword === undefined ? {} : { password: sentinelPassword };
  return askOnce({ node, login, tls }, async (connection) => {
    const master = masterSchema.safeParse(await connection.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName));
    if (!master.success) throw new Error(`The Sentinel at ${node.host}:${node.port} knows no master of that name.`);
    const [host, port] = master.data;
    return { host, port };
  });
}

interface Asked {
  node: HostAndPort;
  login: Login;
  tls: ConnectionOptions | undefined;
}

async function askOnce<T>({ node, login, tls }: Asked, question: (connection: Redis) => Promise<T>): Promise<T> {
  const connection = new Redis({
    ...node,
    ...login,
    ...(tls && { tls }),
    lazyConnect: true,
    enableReadyCheck: false,
    disableClientInfo: true,
    retryStrategy: () => null,
    connectTimeout: ANSWER_LIMIT_MS,
    commandTimeout: ANSWER_LIMIT_MS,
    maxRetriesPerRequest: 0,
  });
  // ioredis rejects with "Connection is closed." and tells the reason as an event, such as a certificate that nobody trusts.
  let reason: Error | undefined;
  connection.on('error', (error: Error) => (reason ??= error));
  try {
    await connection.connect();
    return await question(connection);
  } catch (error) {
    throw reason ?? error;
  } finally {
    connection.disconnect();
  }
}
