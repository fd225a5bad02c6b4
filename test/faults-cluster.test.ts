import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isClean, runCampaign } from './faults/campaign.ts';
import { faultsOf, SHORT_FORM_OF_CLUSTER } from './faults/faults.ts';
import { rowsOf, textOf } from './faults/report.ts';
import { startSystem } from './faults/system-under-test.ts';
import { makeTempFolder } from './support/temp-folder.ts';

/** At a load that a busy machine holds. The long form, `npm run test:faults -- --redis cluster`, has all faults. */
const DELIVERIES_PER_SECOND = 50;

test('on a Redis Cluster under its faults, every answer is 200, and every event is in the tables once', async () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  process.stdout.write(`faults of a Cluster: SEED=${seed}\n`);
  const faults = faultsOf('cluster').filter(({ name }) => SHORT_FORM_OF_CLUSTER.includes(name));
  expect(faults).toHaveLength(SHORT_FORM_OF_CLUSTER.length);
  const folder = join(await makeTempFolder(), 'system');
  const options = { folder, run: `cluster${seed}`, deliveriesPerSecond: DELIVERIES_PER_SECOND, seed };
  const system = await startSystem({ ...options, redis: 'cluster' });
  onTestFinished(() => system.stop());

  const campaign = await runCampaign(system, { faults, seed, minutes: undefined, print: () => undefined });
  process.stdout.write(`${textOf(rowsOf(campaign, SHORT_FORM_OF_CLUSTER))}\n`);
  expect(campaign.problems).toEqual([]);
  expect(campaign.injections).toHaveLength(faults.length);
  for (const { accepted, refused } of campaign.injections) {
    expect(accepted).toBeGreaterThan(0);
    expect(refused).toBe(0);
  }
  expect(isClean(campaign)).toBe(true);
}, 600_000);
