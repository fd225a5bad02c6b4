import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { addDeadEvents } from '../src/dead-letters/dead-events.ts';

/** The samples of the metric, with a ledger that answers one after the other, each count asked for anew. */
async function samplesOf(answers: (number | Error)[], standsMs = 0): Promise<string[]> {
  const registry = new Registry();
  const left = [...answers];
  const countDead = async () => {
    const answer = left.shift() ?? 0;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  addDeadEvents(registry, { countDead }, standsMs);
  const samples = [];
  for (let i = 0; i < answers.length; i += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one scrape after the other
    samples.push(/^landline_dead_events (\d+)$/m.exec(await registry.metrics())?.[1] ?? 'none');
  }
  return samples;
}

test('the dead events are counted in the ledger, and the last count stands while Postgres is away', async () => {
  const away = new Error('connection refused');
  expect(await samplesOf([away, 3, 2, away, away, 0])).toEqual(['none', '3', '2', '2', '2', '0']);
});

test('a count stands for a while, so that scrapes cost Postgres little', async () => {
  expect(await samplesOf([3, 2, 1], 60_000)).toEqual(['3', '3', '3']);
});
