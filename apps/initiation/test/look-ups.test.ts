import type { FoundCaller } from '@landline/store';
import { expect, test, vi } from 'vitest';
import { createLookUps } from '../src/look-ups.ts';

const nobody: FoundCaller = { profiles: [], calls: [], summaries: [], recent: [] };

/** Starts look-ups over a reader that answers when the test calls `answer`. */
function startLookUps() {
  const asked: string[] = [];
  const waiting: ((found: FoundCaller) => void)[] = [];
  let because: 'database_away' | 'database_slow' | undefined;
  const reader = {
    findCaller: (number: string) => {
      asked.push(number);
      return new Promise<FoundCaller>((resolve) => waiting.push(resolve));
    },
  };
  const gate = {
    closedBecause: () => because,
    close: (why: 'database_away' | 'database_slow') => void (because = why),
    fail: () => 'database_away' as const,
  };
  const lookUps = createLookUps({ reader, gate, limitMs: 250 });
  return { asked, lookUps, gate, answer: () => waiting.splice(0).forEach((resolve) => resolve(nobody)) };
}

test('look-ups of one number at once share a query, and each number has its own', async () => {
  const { asked, lookUps, answer } = startLookUps();
  const all = [...Array.from({ length: 50 }, () => lookUps.ask('+1')), lookUps.ask('+2')];
  answer();
  expect(await Promise.all(all)).toEqual(all.map(() => ({ found: nobody })));
  expect(asked).toEqual(['+1', '+2']);
});

test('a result is kept for a moment, and queried again after that', async () => {
  const { asked, lookUps, answer } = startLookUps();
  const first = lookUps.ask('+1');
  answer();
  await first;
  await lookUps.ask('+1');
  expect(asked).toEqual(['+1']);
  await vi.waitUntil(
    () => {
      void lookUps.ask('+1');
      return asked.length === 2;
    },
    { timeout: 20_000, interval: 5 },
  );
  answer();
});

test('a late query closes the gate, and the next look-up is answered at once without a query', async () => {
  const { asked, lookUps, gate } = startLookUps();
  expect(await lookUps.ask('+1')).toEqual({ because: 'database_slow' });
  expect(gate.closedBecause()).toBe('database_slow');
  expect(await lookUps.ask('+1')).toEqual({ because: 'database_slow' });
  expect(asked).toEqual(['+1']);
});

test('no result is used while the database is away', async () => {
  const { lookUps, gate, answer } = startLookUps();
  const first = lookUps.ask('+1');
  answer();
  await first;
  gate.close('database_away');
  expect(await lookUps.ask('+1')).toEqual({ because: 'database_away' });
});

test('of many numbers the oldest result is forgotten', async () => {
  const { asked, lookUps, answer } = startLookUps();
  const all = Array.from({ length: 1_001 }, (_, i) => lookUps.ask(`+${i}`));
  void lookUps.ask('+1000');
  expect(asked).toHaveLength(1_001);
  all.push(lookUps.ask('+0'));
  expect(asked).toHaveLength(1_002);
  answer();
  await Promise.all(all);
});
