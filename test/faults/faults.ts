import { CLOCK_FAULTS } from './clock-faults.ts';
import { DESCRIPTOR_FAULTS } from './descriptor-faults.ts';
import { EVENT_FAULTS } from './event-faults.ts';
import type { Fault } from './fault.ts';
import { JOURNAL_FAULTS } from './journal-faults.ts';
import { NODE_FAULTS } from './node-faults.ts';
import { NETWORK_FAULTS } from './network-faults.ts';
import { POSTGRES_FAULTS } from './postgres-faults.ts';
import { POSTGRES_LOSS_FAULTS } from './postgres-loss-faults.ts';
import { PROCESS_FAULTS } from './process-faults.ts';
import { RECORDING_FAULTS } from './recording-faults.ts';
import { REDIS_FAULTS } from './redis-faults.ts';
import type { RedisKind } from './redis-nodes.ts';

/** What the short form breaks, each once: it is part of `npm test`. */
export const SHORT_FORM: readonly string[] = [
  'receiver killed',
  'worker killed',
  'receiver killed in the middle of a journal write',
  'SIGTERM of everything in turn',
  'Redis killed',
  'Redis disk lost',
  'Postgres killed',
  'Postgres loses what it committed last',
  'journal removed',
  'receiver killed after the storage, before the queue',
  'poison, one event in fifty',
];

/** What the short form breaks of a Redis Cluster, each once: it is part of `npm test`. */
export const SHORT_FORM_OF_CLUSTER: readonly string[] = [
  'a master killed, and its replica takes over',
  'a failover to a replica that lags behind',
  'a master emptied',
  'a slot between two masters for 5 s',
];

/** What is broken beside a Redis of several nodes too: faults of other parts, on whose way the shards are. */
const BESIDE_NODES: readonly string[] = [
  'receiver killed',
  'worker killed',
  'receiver killed in the middle of a journal write',
  'SIGTERM of everything in turn',
  'receiver frozen for 3 s',
  'Postgres killed',
  'Postgres stopped for 5 s',
  'connections terminated in storms',
  'Postgres loses what it committed last',
  'journal disk full',
  'journal removed',
  'receiver killed after the queue, before it removes the file',
  'poison, one event in fifty',
];

/** Returns what the suite breaks where REDIS_URL names a Redis of this kind. */
export function faultsOf(kind: RedisKind): readonly Fault[] {
  if (kind === 'server') return FAULTS;
  const ofNodes = NODE_FAULTS.filter(({ kinds }) => kinds.includes(kind));
  const beside = FAULTS.filter(({ name }) => BESIDE_NODES.includes(name));
  if (beside.length !== BESIDE_NODES.length)
    throw new Error('BESIDE_NODES names a fault that the suite does not have.');
  return [...ofNodes, ...beside];
}

/** Everything that the suite breaks where Redis is one server. */
export const FAULTS: readonly Fault[] = [
  ...PROCESS_FAULTS,
  ...CLOCK_FAULTS,
  ...DESCRIPTOR_FAULTS,
  ...REDIS_FAULTS,
  ...POSTGRES_FAULTS,
  ...POSTGRES_LOSS_FAULTS,
  ...NETWORK_FAULTS,
  ...JOURNAL_FAULTS,
  ...RECORDING_FAULTS,
  ...EVENT_FAULTS,
];
