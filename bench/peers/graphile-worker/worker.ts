/** One Prisma transaction a job; jobs are fetched and completed in batches, as the documentation advises for throughput. */
import { stopOnRequest } from '@landline/process';
import type { Delivery } from '@landline/webhook';
import { Logger, run } from 'graphile-worker';
import { Pool } from 'pg';
import { openTables } from '../open-tables.ts';
import { variables } from '../variables.ts';
import { TASK } from './task.ts';

const CONCURRENCY = 8;
const tables = openTables(variables.DATABASE_URL, CONCURRENCY);
const runner = await run({
  pgPool: new Pool({ connectionString: variables.DATABASE_URL, max: CONCURRENCY + 2 }),
  concurrency: CONCURRENCY,
  noHandleSignals: true,
  // At its default level it prints two lines a job.
  logger: new Logger(() => () => undefined),
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the receiver's payload, as its documentation has it
  taskList: { [TASK]: (payload) => tables.apply([payload as Delivery]) },
  preset: { worker: { localQueue: { size: 200 }, completeJobBatchDelay: 10, failJobBatchDelay: 10 } },
});
stopOnRequest(() => runner.stop());
