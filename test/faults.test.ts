import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCampaign } from './faults/campaign.ts';
import { checkAll } from './faults/check.ts';
import { FAULTS, SHORT_FORM } from './faults/faults.ts';
import { faultTable, rowsOf, textOf } from './faults/report.ts';
import { startRig } from './faults/rig.ts';
import { DETAIL_TABLES } from './support/tables.ts';
import { makeTempFolder } from './support/temp-folder.ts';

/** At a load that a busy machine holds. The long form, `npm run test:faults`, has all faults. */
const DELIVERIES_PER_SECOND = 100;

test('the README names every fault, and how it is made', async () => {
  const readme = await readFile(new URL('faults/README.md', import.meta.url), 'utf8');
  expect(readme).toContain(faultTable(FAULTS, SHORT_FORM));
});

test('under every fault, every event that was answered 200 is in the tables once', async () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  process.stdout.write(`faults: SEED=${seed}\n`);
  const faults = FAULTS.filter(({ name }) => SHORT_FORM.includes(name));
  expect(faults).toHaveLength(SHORT_FORM.length);
  const folder = join(await makeTempFolder(), 'rig');
  const rig = await startRig({ folder, run: `short${seed}`, deliveriesPerSecond: DELIVERIES_PER_SECOND, seed });
  onTestFinished(() => rig.stop());

  const campaign = await runCampaign(rig, { faults, seed, minutes: undefined, print: () => undefined });
  process.stdout.write(`${textOf(rowsOf(campaign, SHORT_FORM))}\n`);
  expect(campaign.problems).toEqual([]);
  expect(campaign.injections).toHaveLength(SHORT_FORM.length - campaign.skipped.length);
  for (const { accepted } of campaign.injections) expect(accepted).toBeGreaterThan(0);
  expect(campaign.verdict).toMatchObject({
    lost: 0,
    doubled: 0,
    refusedButStored: 0,
    innocentDead: 0,
    poisonApplied: 0,
    foreign: 0,
    altered: 0,
    differing: 0,
  });
  expect(campaign.verdict?.deadLetters).toBeGreaterThan(0);

  // The check itself can fail. It finds these four:
  // - an event that was never sent counts as lost
  // - a row that was written more often than there are events with it, although its key rejects the second write
  // - a row that is missing
  // - a column with another value
  rig.sent.note(rig.sent.add(randomBytes(16), false), 'accepted');
  for (const table of DETAIL_TABLES) {
    await rig.postgres.sql(
      `INSERT INTO ${table} SELECT one.* FROM (SELECT * FROM ${table} LIMIT 1) AS one, generate_series(1, 240)
       ON CONFLICT DO NOTHING`,
    );
  }
  await rig.postgres.sql('DELETE FROM user_commands WHERE action_id = (SELECT min(action_id) FROM user_commands)');
  await rig.postgres.sql(`UPDATE user_profiles SET attributes = '{"x": "never said"}'
    WHERE user_id = (SELECT min(user_id) FROM user_profiles)`);
  const { verdict, examples } = await checkAll(rig);
  expect(verdict).toMatchObject({ lost: 1, doubled: 3 });
  expect(examples).toContainEqual('user_profiles.attributes differs in 1 rows');
  expect(examples).toContainEqual(expect.stringMatching(/^user_commands\.row differs in \d+ rows$/));
}, 900_000);
