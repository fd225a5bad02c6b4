/** One Prisma transaction for each job. */
import { stopOnRequest } from '@landline/process';
import type { Delivery } from '@landline/webhook';
import { Worker } from 'bullmq';
import { openTables } from '../open-tables.ts';
import { variables } from '../variables.ts';
import { QUEUE } from './queue.ts';

/** The number of jobs at once. More jobs are no faster on two cores. */
const CONCURRENCY = 8;

const tables = openTables(variables.DATABASE_URL, CONCURRENCY);
const connection = { url: variables.REDIS_URL, maxRetriesPerRequest: null };
const worker = new Worker<Delivery>(QUEUE, ({ data }) => tables.apply([data]), {
  connection,
  concurrency: CONCURRENCY,
});
stopOnRequest(() => worker.close());
