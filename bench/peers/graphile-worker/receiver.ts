/** One graphile-worker job an event. */
import { makeWorkerUtils } from 'graphile-worker';
import { Pool } from 'pg';
import { deliveryOf } from '../delivery-of.ts';
import { serve } from '../serve.ts';
import { variables } from '../variables.ts';
import { createWebhookApp } from '../webhook-app.ts';
import { TASK } from './task.ts';

const pgPool = new Pool({ connectionString: variables.DATABASE_URL, max: 10 });
const utils = await makeWorkerUtils({ pgPool });
const app = createWebhookApp(variables.SECRET, (body, signedAt) => utils.addJob(TASK, deliveryOf(body, signedAt)));
await serve(app, variables.PORT, () => pgPool.end());
