import { CLOCK_FAULTS } from './clock-faults.ts';
import { DESCRIPTOR_FAULTS } from './descriptor-faults.ts';
import { EVENT_FAULTS } from './event-faults.ts';
import type { Fault } from './fault.ts';
import { JOURNAL_FAULTS } from './journal-faults.ts';
import { NETWORK_FAULTS } from './network-faults.ts';
import { POSTGRES_FAULTS } from './postgres-faults.ts';
import { POSTGRES_LOSS_FAULTS } from './postgres-loss-faults.ts';
import { PROCESS_FAULTS } from './process-faults.ts';
import { REDIS_FAULTS } from './redis-faults.ts';

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
  ...EVENT_FAULTS,
];
