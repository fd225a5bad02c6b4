import { expect, it, onTestFinished } from 'vitest';
import { findInaccessible } from '../support/console-browser.ts';
import type { ConsoleLine } from '../support/console-line.ts';
import { operation, visit, SHOWN, type GetPlace } from './place.ts';
import { CALLS } from './scene.ts';

/** How runs ended: the last one with its worker, and its operation is kept no longer. */
const RUNS: Readonly<Record<string, string>> = {
  '44444444-4444-4444-8444-000000000001': 'now(), NULL',
  '44444444-4444-4444-8444-000000000002': `now(), 'The provider does not take the API key.'`,
  '44444444-4444-4444-8444-000000000003': 'NULL, NULL',
};

/** What a look at the provider's side may find. */
const CHECK = {
  checkedAt: Date.now(),
  findings: [
    { code: 'key_good', level: 'fine', what: 'The API key is good.' },
    { code: 'retries', level: 'note', what: 'Whether failed webhooks are repeated cannot be read.' },
    {
      code: 'webhook_auto_disabled',
      level: 'fault',
      what: 'The provider has switched the webhook “Landline” off.',
      todo: 'In ElevenLabs: Settings, Webhooks, Landline: switch it on.',
    },
  ],
  isWebhookUp: false,
  lastFailure: { code: 401, at: Date.now() - 60_000, answered: 'Landline answered 401 signature_mismatch then' },
  agents: [{ id: 'agent_front_desk', name: 'موظف الاستقبال' }],
};

/** Writes what workers with an API key would have written. It is taken back afterwards: the other tests have a line without a key. */
async function seed({ sql }: ConsoleLine): Promise<void> {
  onTestFinished(async () => {
    await sql(`UPDATE conversations SET completeness = NULL; DELETE FROM provider_checks;
      DELETE FROM operations WHERE kind IN ('reconcile', 'fetch-conversation');
      DELETE FROM reconciliations WHERE id IN ('${Object.keys(RUNS).join("', '")}')`);
  });
  const values = Object.entries(RUNS).map(
    ([id, ended], n) =>
      `('${id}', now() - interval '3 days', now(), now() - interval '${35 - 15 * n} minutes', ${ended}, 12, 8, 2, 3, 1, 1)`,
  );
  await sql(`INSERT INTO reconciliations
      (id, window_from, window_to, started_at, finished_at, error, listed, complete, waiting, fetched, fetched_recordings, unfetchable)
      VALUES ${values.join(', ')};
    INSERT INTO provider_checks (result) VALUES ('${JSON.stringify(CHECK)}');
    UPDATE conversations SET completeness = CASE id WHEN '${CALLS.long}' THEN 'missing' WHEN '${CALLS.script}' THEN 'unfetchable'
      ELSE 'complete' END`);
}

/** Registers the test of the provider's side of the line. */
export function providerTests(place: GetPlace): void {
  it('shows what is wrong at the provider and what never came, and has it fetched', async () => {
    const { line } = place();
    await seed(line);
    const { page } = await visit(place(), '/');
    await page.getByRole('link', { name: /has switched the webhook “Landline” off/ }).click(SHOWN);
    await page.getByRole('heading', { level: 1, name: 'Provider' }).waitFor(SHOWN);
    const findings = page.getByRole('list', { name: 'Findings' }).getByRole('listitem');
    expect(await findings.first().innerText()).toMatch(
      /^fault\s+The provider has switched .*\s+In ElevenLabs: Settings/,
    );
    expect(await page.getByText('The API key is good.').isVisible()).toBe(false);
    expect(await page.getByRole('heading', { name: 'Webhook' }).innerText()).toContain('down');
    expect(await page.getByText('the provider saw').innerText()).toMatch(
      /saw 401\. Landline answered 401 signature_mismatch then\./,
    );
    expect(await page.getByRole('row', { name: /The provider does not take the API key/ }).count()).toBe(1);
    const ended = page.getByRole('row', { name: /ended without a result/ });
    expect([await ended.count(), await ended.getByRole('link').count()]).toEqual([1, 0]);
    expect(await findInaccessible(page)).toEqual([]);

    await page.keyboard.press('r');
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/RECONCILE_WINDOW_HOURS/).waitFor(SHOWN);
    await dialog.getByRole('button', { name: '7 days' }).click();
    await dialog.getByText(/that began since/).waitFor(SHOWN);
    await dialog.getByRole('button', { name: 'Reconcile', exact: true }).click();
    await dialog.getByRole('link', { name: 'Watch it' }).click(SHOWN);
    await operation(page).getByRole('heading', { name: 'Compare with the provider' }).waitFor(SHOWN);

    await page.goBack();
    await page.getByRole('link', { name: /^1 missing/ }).click(SHOWN);
    const rows = page.getByRole('listbox', { name: 'Conversations' }).getByRole('option');
    await expect.poll(() => rows.count(), SHOWN).toBe(1);
    expect(await rows.first().innerText()).toContain('missing');
    await rows.first().click();
    await page.getByText('something of it never came; the next comparison fetches it').waitFor(SHOWN);
    await page.getByRole('button', { name: 'Fetch again…' }).click();
    await dialog.getByText(/asked for the account of this call once more/).waitFor(SHOWN);
    await dialog.getByRole('button', { name: 'Fetch again', exact: true }).click();
    await dialog.getByRole('link', { name: 'Watch it' }).waitFor(SHOWN);
    await line.untilRows(
      `operations WHERE kind = 'fetch-conversation' AND filter ->> 'conversation' = '${CALLS.long}'`,
      1,
    );
  });
}
