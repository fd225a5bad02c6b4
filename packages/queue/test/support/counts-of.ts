import type { QueueCounts } from '../../src/jobs/count-jobs.ts';
import { untilAnswered } from './wait-until.ts';

/** How many jobs a consumer's queue has. Redis has a second for an answer: it is asked again where the machine stalls for longer. */
export const countsOf = (consumer: { counts: () => Promise<QueueCounts> }): Promise<QueueCounts> =>
  untilAnswered(() => consumer.counts());
