import { expect, test } from 'vitest';
import { createHandedOver, type HandedOverPorts } from '../../src/reconcile/handed-over.ts';

type Queue = HandedOverPorts['queue'];

const neverAsked = () => Promise.reject(new Error('Nobody adds anything.'));

/** A queue that tells of jobs, and a ledger that has one event. */
function portsOf(stateOf: (id: string) => Awaited<ReturnType<Queue['states']>>[number]): HandedOverPorts {
  const applied = { outcome: 'applied', code: null, attempts: 1 };
  return {
    queue: { add: neverAsked, hasRoom: neverAsked, states: (ids) => Promise.resolve(ids.map(stateOf)) },
    ledger: { states: () => Promise.resolve(new Map([['event_7', applied]])) },
    isSpooled: (id) => id === 'event_6',
  };
}

const event = (n: number) => ({ conversationId: `call_${n}`, eventId: `event_${n}`, jobId: `job_${n}` });

test('a memory that is full forgets the oldest', async () => {
  const memory = createHandedOver();
  for (let i = 0; i <= 10_000; i++) memory.note(event(i));
  const waiting = await memory.waiting(
    ['call_0', 'call_1', 'call_7', 'call_10000'],
    portsOf(() => 'pending'),
  );
  expect([...waiting.keys()]).toEqual(['call_1', 'call_10000']);
});

test('what waits is what is somewhere: in the spool or in the queue, and not in the ledger', async () => {
  const memory = createHandedOver();
  for (let i = 5; i < 10; i++) memory.note(event(i));
  const ids = [5, 6, 7, 8, 9].map((i) => `call_${i}`);
  const states = { job_5: 'pending', job_8: 'failed' } as const;
  const stateOf = (id: string) => (id === 'job_5' || id === 'job_8' ? states[id] : 'gone');
  const found = { call_5: 'queue', call_6: 'spool', call_8: 'failed' };
  expect(Object.fromEntries(await memory.waiting(ids, portsOf(stateOf)))).toEqual(found);
  // What was nowhere is not looked for any more.
  const again = await memory.waiting(
    ids,
    portsOf(() => 'pending'),
  );
  expect([...again.keys()]).toEqual(['call_5', 'call_6', 'call_8']);
});
