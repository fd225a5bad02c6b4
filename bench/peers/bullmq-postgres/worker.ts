/** queue-naive's worker, on BullMQ's PostgreSQL backend. */
import { stopOnRequest } from '@landline/process';
import { CONCURRENCY, startPostgresWorker } from '../bullmq-queue.ts';
import { openTables } from '../open-tables.ts';
import { variables } from '../variables.ts';

const tables = openTables(variables.DATABASE_URL, CONCURRENCY);
const worker = startPostgresWorker(variables.DATABASE_URL, CONCURRENCY, (delivery) => tables.apply([delivery]));
stopOnRequest(() => worker.close());
