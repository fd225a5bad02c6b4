import { expect, test } from 'vitest';
import { createHandedOver } from '../../src/reconcile/handed-over.ts';

test('a memory that is full forgets the oldest', async () => {
  const memory = createHandedOver();
  for (let i = 0; i <= 10_000; i++) memory.note(`call_${i}`, `event_${i}`);
  const applied = { outcome: 'applied', code: null, attempts: 1 };
  const states = () => Promise.resolve(new Map([['event_7', applied]]));
  const waiting = await memory.waiting(['call_0', 'call_1', 'call_7', 'call_10000'], { states });
  expect([...waiting]).toEqual(['call_1', 'call_10000']);
});
