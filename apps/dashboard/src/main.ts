import { createLogger, stopOnRequest } from '@landline/process';
import { openAllQueues, readQueueServers } from '@landline/queue';
import { createApp } from './app.ts';
import { readConfig } from './config.ts';

const read = readConfig(process.env);
if (!read.ok) {
  process.stderr.write(`The dashboard cannot start:\n${read.faults}\n`);
  process.exit(1);
}
const { config } = read;
const logger = createLogger({ name: 'dashboard', level: config.LOG_LEVEL });
for (const warning of read.warnings ?? []) logger.warn(warning);
const queues = openAllQueues({
  ...(await readQueueServers(config)),
  onDone: ({ queue, state }) => logger.info(`Retry all of ${queue} is done: what was ${state} waits for a worker`),
  onError: (error) => logger.warn(`Retry all goes on when Redis answers: ${error.message}`),
});
const app = createApp({
  shards: () => queues.shards(),
  login: { user: config.DASHBOARD_USER, password: config.DASHBOARD_PASSWORD },
  logger,
});

stopOnRequest(async () => {
  await app.close();
  await queues.close();
  logger.info('Stopped');
});

try {
  await app.listen({ port: config.DASHBOARD_PORT, host: config.HOST });
} catch (error) {
  logger.fatal(`The dashboard cannot start: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
