import { openBoundRecordingStorage } from '@landline/operations';
import { createLogger, stopOnRequest } from '@landline/process';
import { createCanaryMark, openActivity, openAllQueues, openConsoleRequests, readQueueServers } from '@landline/queue';
import { openConversationRebuilds, openLookups } from '@landline/store';
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
const servers = await readQueueServers(config);
const queues = openAllQueues({
  ...servers,
  onDone: ({ queue, state }) => logger.info(`Retry all of ${queue} is done: what was ${state} waits for a worker`),
  onError: (error) => logger.warn(`Retry all goes on when Redis answers: ${error.message}`),
});
const activity = openActivity(servers);
const canary = createCanaryMark(servers);
const requests = openConsoleRequests(servers);
const storage = openBoundRecordingStorage(config.RECORDINGS_URL);
const databaseUrl = config.READER_DATABASE_URL || config.DATABASE_URL;
const lookups = databaseUrl === '' ? undefined : openLookups({ databaseUrl });
const rebuilds = databaseUrl === '' ? undefined : openConversationRebuilds({ databaseUrl, isReadOnly: true });
const app = createApp({
  shards: () => queues.shards(),
  login: { user: config.DASHBOARD_USER, password: config.DASHBOARD_PASSWORD },
  apiToken: config.API_TOKEN,
  console: {
    lookups,
    rebuilds,
    queues,
    activity,
    canary,
    requests,
    storage,
    journalHours: config.JOURNAL_RETENTION_HOURS,
  },
  logger,
});

stopOnRequest(async () => {
  await app.close();
  storage.close();
  await rebuilds?.close();
  await lookups?.close();
  await requests.close();
  canary.close();
  await activity.close();
  await queues.close();
  logger.info('Stopped');
});

try {
  await app.listen({ port: config.DASHBOARD_PORT, host: config.HOST });
} catch (error) {
  logger.fatal(`The dashboard cannot start: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
