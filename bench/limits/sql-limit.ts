/**
 * The limit of applying: events that were made and normalised ahead lie in memory, and go through the product's own
 * set-based SQL over its own driver. No queue, no JSON from Redis, no verifying, no log.
 *
 * It applies as soon as it has prepared, and answers GET / with how many events are left; with several BATCHES it tries each on as
 * many events, and answers which was the fastest.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createStore, type ApplicableEvent } from '@landline/store';
import { normalise } from '@landline/webhook';
import { z } from 'zod';
import { EVENT_KINDS, signedEvents } from '../load/signed-events.ts';
import { batchSchema, type Batch, type LimitState } from './sql-batch.ts';

const variables = z.object({
  PORT: z.coerce.number(),
  DATABASE_URL: z.string(),
  KIND: z.enum(EVENT_KINDS),
  RUN: z.string(),
  COUNT: z.coerce.number(),
  /** JSON: the batches to try; one: apply with it. */
  BATCHES: z.string().transform((text) => z.array(batchSchema).min(1).parse(JSON.parse(text))),
});

const { PORT, DATABASE_URL, KIND, RUN, COUNT, BATCHES } = variables.parse(process.env);
const state: LimitState = { pending: COUNT * BATCHES.length, rates: [] };
const server = createServer((_request, response) => response.end(JSON.stringify(state)));
const store = createStore({ databaseUrl: DATABASE_URL, poolSize: 4 });
const leaving = new AbortController();
process.once('SIGTERM', () => leaving.abort());
// Whoever started it is gone.
process.once('disconnect', () => leaving.abort());

await new Promise<void>((resolve) => server.listen(PORT, '127.0.0.1', resolve));
for (const [i, batch] of BATCHES.entries()) {
  const events = prepare(`${RUN}_${i}`);
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

function prepare(run: string): ApplicableEvent[] {
  return [...signedEvents(KIND, COUNT, run)].map(({ body, signedAt }) => {
    const event = normalise({ receivedAt: Date.now(), signedAt, encoding: 'utf8', body: body.toString('utf8') });
    if (event.outcome === 'dead') throw new Error(event.fault.message);
    return event;
  });
}

/** As many transactions at once as the batch says, each with the next events in turn. */
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

/** As the worker does: what may pass is tried again at once, a few times. */
async function applyBatch(batch: readonly ApplicableEvent[], attemptsLeft = 3): Promise<void> {
  try {
    await store.apply(batch);
  } catch (error) {
    if (attemptsLeft === 0) throw error;
    await applyBatch(batch, attemptsLeft - 1);
  }
}
