/** Where most people start: the handler writes to Postgres inside the request. */
import { deliveryOf } from '../delivery-of.ts';
import { openTables } from '../open-tables.ts';
import { serve } from '../serve.ts';
import { variables } from '../variables.ts';
import { createWebhookApp } from '../webhook-app.ts';

/** The default of the driver's pool. */
const CONNECTIONS = 10;

const tables = openTables(variables.DATABASE_URL, CONNECTIONS);
const app = createWebhookApp(variables.SECRET, (body, signedAt) => tables.apply([deliveryOf(body, signedAt)]));
await serve(app, variables.PORT, tables.close);
