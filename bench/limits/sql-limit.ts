/**
 * The limit of applying. The events are made and normalised ahead, and lie in memory. The program applies them by the product's own
 * set-based SQL over the product's own driver. There is no queue, no JSON from Redis, no signature to verify and no log.
 *
 * The program applies the events as soon as it has prepared them. It answers GET / with the number of events that are left. With several
 * batches it tries each batch on as many events, and answers the rate of each.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createStore, type ApplicableEvent } from '@landline/store';
import { z } from 'zod';
import { normalised } from '../load/normalised.ts';
import { signedEvents } from '../load/signed-events.ts';
import { limitLoadSchema, type Batch, type LimitState } from './sql-batch.ts';

const variables = z.object({ PORT: z.coerce.number(), DATABASE_URL: z.string(), LOAD: z.string() });

const { PORT, DATABASE_URL, LOAD } = variables.parse(process.env);
const { kind, run, count, batches } = limitLoadSchema.parse(JSON.parse(LOAD));
const state: LimitState = { pending: count * batches.length, rates: [] };
const server = createServer((_request, response) => response.end(JSON.stringify(state)));
const store = createStore({ databaseUrl: DATABASE_URL, poolSize: 4 });
const leaving = new AbortController();
process.once('SIGTERM', () => leaving.abort());
// The process that started this one has ended.
process.once('disconnect', () => leaving.abort());

await new Promise<void>((resolve) => server.listen(PORT, '127.0.0.1', resolve));
for (const [i, batch] of batches.entries()) {
  const events = normalised(signedEvents(kind, count, `${run}_${i}`));
  const startedAt = performance.now();
  // oxlint-disable-next-line no-await-in-loop -- one trial after the other
  await applyAll(events, batch);
  state.rates.push((events.length * 1000) / (performance.now() - startedAt));
}
if (!leaving.signal.aborted) await once(leaving.signal, 'abort');
await store.close();
server.close();
server.closeAllConnections();
if (process.connected) process.disconnect();

/** Applies the events in transactions of the batch's size. It runs as many transactions at once as the batch says. */
async function applyAll(events: readonly ApplicableEvent[], { events: size, transactions }: Batch): Promise<void> {
  let next = 0;
  const applyInTurn = async (): Promise<void> => {
    while (next < events.length && !leaving.signal.aborted) {
      const batch = events.slice(next, (next += size));
      // oxlint-disable-next-line no-await-in-loop -- one transaction after the other
      await applyBatch(batch);
      state.pending -= batch.length;
    }
  };
  await Promise.all(Array.from({ length: transactions }, applyInTurn));
}

/** Applies a batch. Like the worker, it tries a transaction that failed again at once, a few times. @throws The last fault. */
async function applyBatch(batch: readonly ApplicableEvent[], attemptsLeft = 3): Promise<void> {
  try {
    await store.apply(batch);
  } catch (error) {
    if (attemptsLeft === 0) throw error;
    await applyBatch(batch, attemptsLeft - 1);
  }
}
