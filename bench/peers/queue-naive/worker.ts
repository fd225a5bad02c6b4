/** One Prisma transaction a job. */
import { stopOnRequest } from '@landline/process';
import { CONCURRENCY, startRedisWorker } from '../bullmq-queue.ts';
import { openTables } from '../open-tables.ts';
import { variables } from '../variables.ts';

const tables = openTables(variables.DATABASE_URL, CONCURRENCY);
const worker = startRedisWorker(variables.REDIS_URL, CONCURRENCY, (delivery) => tables.apply([delivery]));
stopOnRequest(() => worker.close());
