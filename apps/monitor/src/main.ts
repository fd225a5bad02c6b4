import { createLogger, stopOnRequest } from '@landline/process';
import { openProvider } from '@landline/provider';
import { createApp } from './app.ts';
import { createBridge } from './bridge.ts';
import { readConfig } from './config.ts';
import { createMetrics } from './metrics.ts';
import { createOutbox } from './outbox.ts';
import { keepListing, type Listing } from './keep-listing.ts';
import { createPoster } from './post-event.ts';
import { createSender } from './send-event.ts';

/** How long events that wait may still be sent when the process stops, in ms. */
const DRAIN_LIMIT_MS = 5_000;

const read = readConfig(process.env);
if (read === 'off') {
  process.stdout.write('The monitor is off. MONITOR=on switches it on; it needs the enterprise plan of ElevenLabs.\n');
  process.exit(0);
}
if (!read.ok) {
  process.stderr.write(`The monitor cannot start:\n${read.faults}\n`);
  process.exit(1);
}
const { config } = read;
const logger = createLogger({ name: 'monitor', level: config.logLevel });
for (const warning of read.warnings ?? []) logger.warn(warning);

let isDraining = false;
let listing: Listing | undefined;
const provider = openProvider(config.provider);
const poster = createPoster(config.webhookUrl, config.secret);
const isProviderUp = () => listing?.isProviderUp() === true;
const isReceiverUp = () => sender.isReceiverUp();
const metrics = createMetrics({ calls: () => bridge.openCalls(), isProviderUp, isReceiverUp });
const sender = createSender({ post: poster.post, metrics, logger });
const outbox = createOutbox({ sender });
const bridge = createBridge({ provider, outbox, metrics, logger });
const app = createApp({
  metrics,
  health: () => ({
    provider: isProviderUp() ? 'up' : 'away',
    receiver: isReceiverUp() ? 'up' : 'away',
  }),
  isDraining: () => isDraining,
});

stopOnRequest(async () => {
  isDraining = true;
  await listing?.stop();
  bridge.close();
  provider.close();
  await outbox.close(DRAIN_LIMIT_MS);
  poster.close();
  await app.close();
  logger.info('Stopped');
});

try {
  logger.info(`Health and metrics on ${await app.listen({ port: config.port, host: config.host })}`);
} catch (error) {
  logger.fatal(`The monitor cannot start: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
listing = keepListing({ look: (signal) => bridge.look(signal), logger });
logger.info('Following running calls');
