import { createStore, type Store } from '@landline/store';
import { normalise } from '@landline/webhook';
import { deliveryOf } from '@landline/webhook/delivery';

/** When the events of these tests were received, in unix ms. */
export const RECEIVED_AT = Date.UTC(2026, 0, 5, 9);

const BATCH = 500;

/** Returns the body of a message that can be applied. `words` distinguishes it from others. */
export function messageBody(conversationId: string, words: string): Buffer {
  const data = { conversation_id: conversationId, role: 'user', message: words };
  return Buffer.from(
    JSON.stringify({
      type: 'conversation.message',
      event_id: `${conversationId} ${words}`,
      timestamp: RECEIVED_AT / 1000,
      data,
    }),
  );
}

/**
 * Puts events into the ledger as dead, as a worker does whose version could not apply them. They are received a millisecond apart.
 *
 * @returns  Their ids.
 */
export async function recordDeadBodies(
  store: Pick<Store, 'recordDead'>,
  bodies: readonly Buffer[],
  receivedAt = RECEIVED_AT,
): Promise<string[]> {
  const events = bodies.map((body, i) => {
    const facts = { receivedAt: receivedAt + i, signedAt: RECEIVED_AT / 1000, secretId: 'test' };
    const { entry } = normalise(deliveryOf(body, facts));
    return { entry, fault: { code: 'an_old_bug', message: 'The version before could not read it.' }, attempts: 1 };
  });
  for (let i = 0; i < events.length; i += BATCH) {
    // oxlint-disable-next-line no-await-in-loop -- one transaction after the other
    await store.recordDead(events.slice(i, i + BATCH));
  }
  return events.map(({ entry }) => entry.id);
}

/** Fills the ledger of a database with so many dead messages, 20 to a conversation. */
export async function fillWithDead(databaseUrl: string, count: number): Promise<void> {
  const store = createStore({ databaseUrl });
  try {
    for (let from = 0; from < count; from += 10_000) {
      const bodies = Array.from({ length: Math.min(10_000, count - from) }, (_, i) =>
        messageBody(`conv_${Math.floor((from + i) / 20)}`, `word ${from + i}`),
      );
      // oxlint-disable-next-line no-await-in-loop -- so that not all bodies are held at once
      await recordDeadBodies(store, bodies);
    }
  } finally {
    await store.close();
  }
}
