/** pg-boss hands its jobs out in batches, so a batch is one transaction. */
import { stopOnRequest } from '@landline/process';
import type { Delivery } from '@landline/webhook';
import { openTables } from '../open-tables.ts';
import { variables } from '../variables.ts';
import { openBoss, QUEUE } from './queue.ts';

/** Large batches and the shortest polling, as the documentation advises. More workers were slower: their batches deadlock. */
const OPTIONS = { batchSize: 250, pollingIntervalSeconds: 0.5 };
const WORKERS = 2;

const tables = openTables(variables.DATABASE_URL, WORKERS);
const boss = await openBoss(variables.DATABASE_URL);
await Promise.all(
  Array.from({ length: WORKERS }, () =>
    boss.work<Delivery>(QUEUE, OPTIONS, (jobs) => tables.apply(jobs.map(({ data }) => data))),
  ),
);
stopOnRequest(() => boss.stop());
