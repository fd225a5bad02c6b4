import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ApplicableEvent } from '../src/apply.ts';
import { createStore, type Store } from '../src/store.ts';
import { anEvent, AT } from './support/an-event.ts';
import { withStore } from './support/with-store.ts';

const context = withStore();
let other: Store;
beforeAll(() => void (other = createStore({ databaseUrl: context.url })));
// Before the database goes: behind a pooler, dropping it ends no connection of the store.
afterAll(() => other.close());

const CONVERSATIONS = 12;
const USERS = 5;
const EVENTS = 600;
const GROUP = 20;
/** Of a store that is told nothing else. */
const CONNECTIONS = 4;

/** The i-th event; neighbours are of different conversations, users and types. */
function event(i: number): ApplicableEvent {
  const types = ['conversation.started', 'conversation.message', 'agent.tool_call', 'agent.action'];
  const transcript = i % 60 === 59;
  return anEvent({
    type: transcript ? 'post_call_transcription' : (types[i % types.length] ?? ''),
    at: AT + i,
    data: {
      conversation_id: `conv_${(i * 7) % CONVERSATIONS}`,
      user_id: `user_${(i * 3) % USERS}`,
      tool_call_id: `tool_${i % 3}`,
      action_id: `action_${i % 3}`,
      user_profile: { [`key_${i % 4}`]: i },
      ...(transcript && { status: 'done', transcript: [{ role: 'agent', message: 'Hello' }], metadata: {} }),
    },
  });
}

/** The events in groups, in an order of each `stride`'s own. */
function groups(events: readonly ApplicableEvent[], stride: number): ApplicableEvent[][] {
  const mixed = events.map((_, i) => events[(i * stride) % events.length]).filter((found) => found !== undefined);
  return Array.from({ length: events.length / GROUP }, (_, i) => mixed.slice(i * GROUP, (i + 1) * GROUP));
}

test('two stores never wait for each other in a ring, though they write the same rows in any order', async () => {
  const events = Array.from({ length: EVENTS }, (_, i) => event(i));
  // Strides prime to the number of events: each of the three passes has every event once, in other groups.
  const passes = [7, 11, 13].flatMap((stride) => groups(events, stride));
  // As many at once as there are connections: on a busy machine none waits for one in vain.
  const outcomes: Awaited<ReturnType<Store['apply']>>[] = [];
  let next = 0;
  async function applyInTurn(store: Store): Promise<void> {
    for (let i = next++; i < passes.length; i = next++) {
      const group = passes[i] ?? [];
      // oxlint-disable-next-line no-await-in-loop -- one connection, one group at a time
      outcomes.push(await store.apply(i % 3 === 0 ? group.toReversed() : group));
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, () => [applyInTurn(context.store), applyInTurn(other)]).flat());
  const applied = outcomes.flatMap((outcome) => [...outcome.values()]).filter((outcome) => outcome === 'applied');
  expect(applied).toHaveLength(EVENTS);
  expect(await context.sql(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`)).toEqual([
    { deadlocks: '0' },
  ]);
  const counted = await context.sql(`SELECT
    (SELECT count(*) FROM webhook_events WHERE outcome = 'applied')::int AS events,
    (SELECT count(*) FROM conversations)::int AS conversations,
    (SELECT count(*) FROM user_profiles)::int AS profiles,
    (SELECT array_agg(DISTINCT source) FROM conversation_messages
       JOIN conversations c ON c.id = conversation_id AND transcript_clock IS NOT NULL) AS sources`);
  expect(counted).toEqual([{ events: EVENTS, conversations: CONVERSATIONS, profiles: USERS, sources: ['transcript'] }]);
});
