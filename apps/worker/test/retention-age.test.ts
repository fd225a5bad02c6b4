import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { addRetentionAge } from '../src/operations/retention-age.ts';

/** The samples of the metric, with a database that answers one after the other, each asked for anew. */
async function samplesOf(answers: (number | undefined | Error)[], standsMs = 0): Promise<(number | undefined)[]> {
  const registry = new Registry();
  const left = [...answers];
  const runAge = async () => {
    const answer = left.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  addRetentionAge(registry, { runAge }, standsMs);
  const samples = [];
  for (let i = 0; i < answers.length; i += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one scrape after the other
    const text = /^landline_retention_age_seconds (\S+)$/m.exec(await registry.metrics())?.[1];
    samples.push(text === undefined ? undefined : Math.round(Number(text)));
  }
  return samples;
}

test('the age is that of the newest run, and goes on while Postgres is away', async () => {
  const away = new Error('connection refused');
  expect(await samplesOf([undefined, away, 7_200, away, 30])).toEqual([undefined, undefined, 7_200, 7_200, 30]);
});

test('an answer stands for a while, so that scrapes cost Postgres little', async () => {
  expect(await samplesOf([30, 900, 900], 60_000)).toEqual([30, 30, 30]);
});
