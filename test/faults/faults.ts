import { CLOCK_FAULTS } from './clock-faults.ts';
import { DESCRIPTOR_FAULTS } from './descriptor-faults.ts';
import { EVENT_FAULTS } from './event-faults.ts';
import type { Fault } from './fault.ts';
import { JOURNAL_FAULTS } from './journal-faults.ts';
import { NETWORK_FAULTS } from './network-faults.ts';
import { POSTGRES_FAULTS } from './postgres-faults.ts';
import { POSTGRES_LOSS_FAULTS } from './postgres-loss-faults.ts';
import { PROCESS_FAULTS } from './process-faults.ts';
import { RECORDING_FAULTS } from './recording-faults.ts';
import { REDIS_FAULTS } from './redis-faults.ts';

/** What the short form breaks, each once: it is part of `npm test`. */
export const SHORT_FORM: readonly string[] = [
  'receiver killed',
  'worker killed',
  'receiver killed in the middle of a journal write',
  'SIGTERM of everything in turn',
  'clocks of the receivers step by three hours',
  'receivers out of descriptors',
  'Redis killed',
  'Redis frozen for 5 s',
  'Redis emptied',
  'Redis disk lost',
  'failover to a replica that lags',
  'Postgres killed',
  'Postgres stopped for 5 s',
  'connections terminated in storms',
  'Postgres loses what it committed last',
  'Postgres killed under synchronous_commit=off',
  'receiver-Redis: resets',
  'journal removed',
  'receiver killed in the middle of a large body',
  'receiver killed after the fsync of a body, before its 200',
  'receiver killed after the storage, before the queue',
  'storage away for 5 s',
  'poison, one event in fifty',
];

/** Everything that the suite breaks. */
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
