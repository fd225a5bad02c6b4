/** The usual first design: the handler writes to Postgres inside the request. */
import { receivedNow } from '../received-now.ts';
import { openTables } from '../open-tables.ts';
import { serveWebhooks } from '../serve-webhooks.ts';
import { variables } from '../variables.ts';

/** The default of the driver's pool. */
const CONNECTIONS = 10;

const tables = openTables(variables.DATABASE_URL, CONNECTIONS);
await serveWebhooks((body, signedAt) => tables.apply([receivedNow(body, signedAt)]), tables.close);
