import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCampaign } from './faults/campaign.ts';
import { checkAll } from './faults/check.ts';
import { FAULTS, SHORT_FORM, SHORT_FORM_OF_CLUSTER } from './faults/faults.ts';
import { NODE_FAULTS } from './faults/node-faults.ts';
import { faultTable, rowsOf, textOf } from './faults/report.ts';
import { startSystem } from './faults/system-under-test.ts';
import { DETAIL_TABLES } from './support/tables.ts';
import { makeTempFolder } from './support/temp-folder.ts';

/** At a load that a busy machine holds. The long form, `npm run test:faults`, has all faults. */
const DELIVERIES_PER_SECOND = 100;

test('the README names every fault, and how it is made', async () => {
  const readme = await readFile(new URL('faults/README.md', import.meta.url), 'utf8');
  expect(readme).toContain(faultTable(FAULTS, SHORT_FORM));
  expect(readme).toContain(faultTable(NODE_FAULTS, SHORT_FORM_OF_CLUSTER));
});

test('under every fault, every event that was answered 200 is in the tables once', async () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  process.stdout.write(`faults: SEED=${seed}\n`);
  const faults = FAULTS.filter(({ name }) => SHORT_FORM.includes(name));
  expect(faults).toHaveLength(SHORT_FORM.length);
  const folder = join(await makeTempFolder(), 'system');
  const system = await startSystem({ folder, run: `short${seed}`, deliveriesPerSecond: DELIVERIES_PER_SECOND, seed });
  onTestFinished(() => system.stop());

  const campaign = await runCampaign(system, { faults, seed, minutes: undefined, print: () => undefined });
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
    missingObjects: 0,
    orphans: 0,
    spoolFiles: 0,
  });
  expect(campaign.verdict?.recordings).toBeGreaterThan(0);
  expect(campaign.verdict?.deadLetters).toBeGreaterThan(0);

  // The check itself can fail: an event that nobody sent is missed; a row that is written more often than events tell of it is
  // seen, though its key turns it away; and so are a row that is not there and a column that says something else.
  system.sent.note(system.sent.add(randomBytes(16), false), 'accepted');
  for (const table of DETAIL_TABLES) {
    await system.postgres.sql(
      `INSERT INTO ${table} SELECT one.* FROM (SELECT * FROM ${table} LIMIT 1) AS one, generate_series(1, 240)
       ON CONFLICT DO NOTHING`,
    );
  }
  await system.postgres.sql('DELETE FROM user_commands WHERE action_id = (SELECT min(action_id) FROM user_commands)');
  await system.postgres.sql(`UPDATE user_profiles SET attributes = '{"x": "never said"}'
    WHERE user_id = (SELECT min(user_id) FROM user_profiles)`);
  await system.postgres.sql(`UPDATE conversation_recordings SET url = 's3://recordings/elsewhere'
    WHERE event_id = (SELECT min(event_id::text)::uuid FROM conversation_recordings WHERE url IS NOT NULL)`);
  await writeFile(join(system.spoolDir, 'left.body'), '');
  const { verdict, examples } = await checkAll(system);
  expect(verdict).toMatchObject({ lost: 1, doubled: 3, missingObjects: 1, spoolFiles: 1 });
  expect(examples).toContainEqual('user_profiles.attributes differs in 1 rows');
  expect(examples).toContainEqual(expect.stringMatching(/^user_commands\.row differs in \d+ rows$/));
}, 900_000);
